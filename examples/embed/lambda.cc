// The same from C++: handlers are lambdas, runtimes and versions are objects that give back what they hold.
#include <iris/iris.h>

#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <cstdio>

namespace
{

// One actor's side of a call: who it is, and the table.
class Self
{
  public:
    explicit Self(iris_actor *actor) : actor_(actor)
    {
    }
    std::uint64_t pid() const
    {
        return iris_calls()->pid(actor_);
    }
    void send(std::uint64_t to, std::string_view text) const
    {
        iris_calls()->send(actor_, to, text.data(), text.size(), 0);
    }
    void reply(const iris_message &m, std::string_view text) const
    {
        if (m.ref)
            send(m.ref, text);
    }
    iris_actor *get() const
    {
        return actor_;
    }

  private:
    iris_actor *actor_;
};

using Handler = std::function<void(Self, const iris_message &)>;

std::string_view text_of(const iris_message &m)
{
    return {static_cast<const char *>(m.data), m.len};
}

// An exception must not cross into C: it becomes the reason of a crash.
int handle(const iris_behaviour *b, iris_actor *self, void *, const iris_message *const *messages,
           int n) noexcept
{
    for (int i = 0; i < n; i++) {
        try {
            (*static_cast<Handler *>(b->data))(Self(self), *messages[i]);
        } catch (const std::exception &e) {
            iris_calls()->fail("%s", e.what());
            return ~i;
        }
    }
    return n;
}

class Runtime
{
  public:
    explicit Runtime(iris_options options = {})
    {
        options.size = sizeof options;
        options.abi = IRIS_ABI;
        if (iris_open(&options, &rt_) != IRIS_OK)
            throw std::runtime_error(iris_reason());
    }
    ~Runtime()
    {
        iris_close(rt_, 5 * IRIS_SECOND);
    }
    Runtime(const Runtime &) = delete;
    Runtime &operator=(const Runtime &) = delete;

    std::uint64_t spawn(const char *path, Handler handler)
    {
        auto kept = std::make_unique<Handler>(std::move(handler));
        iris_behaviour b = {};
        b.size = sizeof b;
        b.abi = IRIS_ABI;
        b.name = path;
        b.data = kept.get();
        b.handle = handle;
        b.free = [](const iris_behaviour *gone) { delete static_cast<Handler *>(gone->data); };
        iris_version *v = nullptr;
        if (iris_calls()->define(iris_self(rt_), &b, &v) != IRIS_OK)
            throw std::runtime_error(iris_reason());
        kept.release(); // free() has it from here
        iris_spawn s = {};
        s.size = sizeof s;
        s.abi = IRIS_ABI;
        s.version = v;
        s.path = path;
        std::uint64_t pid = 0;
        int result = iris_calls()->spawn(iris_self(rt_), &s, &pid);
        iris_calls()->release(v); // the actor holds its own reference
        if (result != IRIS_OK)
            throw std::runtime_error(iris_reason());
        return pid;
    }

    std::string ask(std::uint64_t pid, std::string_view question)
    {
        const iris_message *m = nullptr;
        if (iris_ask_wait(rt_, pid, question.data(), question.size(), 5 * IRIS_SECOND, &m) !=
            IRIS_OK)
            throw std::runtime_error(iris_reason());
        std::string answer(text_of(*m));
        iris_calls()->drop(m);
        return answer;
    }

  private:
    iris_runtime *rt_ = nullptr;
};

} // namespace

int main()
{
    try {
        Runtime one, other; // two in one process: they share nothing
        auto greeting = std::make_shared<std::string>("hello");
        auto hello = one.spawn("/hello", [greeting](Self self, const iris_message &m) {
            self.reply(m, *greeting + ", " + std::string(text_of(m)));
        });
        auto sum = other.spawn("/sum", [total = 0L](Self self, const iris_message &m) mutable {
            if (text_of(m) == "total")
                self.reply(m, std::to_string(total));
            else
                total += std::stol(std::string(text_of(m))); // what it throws is a crash
        });
        std::printf("%s\n", one.ask(hello, "Ada").c_str());
        std::printf("sum: %s\n", other.ask(sum, "total").c_str());
        other.ask(sum, "forty"); // no number
    } catch (const std::exception &e) {
        std::printf("crashed: %s\n", e.what());
    }
}

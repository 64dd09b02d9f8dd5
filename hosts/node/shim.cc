#include "shim.h"

#include <node.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace
{

namespace Flags = node::ProcessInitializationFlags;

/* What the process has once. It stays: V8 cannot be left and entered again. */
struct Process {
    std::shared_ptr<node::InitializationResult> init;
    std::unique_ptr<node::MultiIsolatePlatform> platform;
    std::string why;
};

std::string join(const std::vector<std::string> &lines)
{
    std::string all;
    for (const std::string &line : lines)
        all += (all.empty() ? "" : "; ") + line;
    return all.empty() ? "no reason was given" : all;
}

/* Signals, the standard streams and limits are the program's. V8's cache of what it has compiled would keep each
 * version of a handler's text and code for long after its actors have left it; that of regular expressions
 * is another one. */
Process *begin()
{
    auto *p = new Process;
    std::vector<std::string> args = {"iris", "--experimental-vm-modules",
                                     "--experimental-import-meta-resolve",
                                     "--no-compilation-cache"};
    p->init = node::InitializeOncePerProcess(
        args, {Flags::kNoInitializeV8, Flags::kNoInitializeNodeV8Platform,
               Flags::kNoDefaultSignalHandling, Flags::kNoStdioInitialization,
               Flags::kNoAdjustResourceLimits, Flags::kDisableNodeOptionsEnv});
    if (p->init->early_return()) {
        p->why = join(p->init->errors());
        return p;
    }
    p->platform = node::MultiIsolatePlatform::Create(1);
    v8::V8::InitializePlatform(p->platform.get());
    v8::V8::Initialize();
    return p;
}

Process *process()
{
    static Process *only = begin(); /* by whoever comes first, also where two come at once */
    return only;
}

int run(node::CommonEnvironmentSetup *setup, const char *code, napi_addon_register_func bind,
        void (*is_there)(void *, void *), void *arg)
{
    v8::Isolate *isolate = setup->isolate();
    v8::Locker locker(isolate);
    v8::Isolate::Scope isolate_scope(isolate);
    v8::HandleScope handles(isolate);
    v8::Context::Scope context(setup->context());
    node::Environment *env = setup->env();
    int result = 1;
    node::SetProcessExitHandler(env, [&result](node::Environment *ends, int status) {
        result = status;
        node::Stop(ends);
    });
    node::AddLinkedBinding(env, "iris", bind, NAPI_VERSION);
    is_there(arg, env);
    if (!node::LoadEnvironment(env, code).IsEmpty())
        result = node::SpinEventLoop(env).FromMaybe(result);
    node::Stop(env);
    is_there(arg, nullptr); /* from here on nobody stops it any more */
    return result;
}

} // namespace

int iris__shim_run(const char *code, napi_addon_register_func bind,
                   void (*is_there)(void *, void *), void *arg, char **why)
{
    Process *p = process();
    std::vector<std::string> errors;
    std::unique_ptr<node::CommonEnvironmentSetup> setup;
    if (p->platform)
        setup = node::CommonEnvironmentSetup::Create(
            p->platform.get(), &errors, p->init->args(), p->init->exec_args(),
            static_cast<node::EnvironmentFlags::Flags>(node::EnvironmentFlags::kTrackUnmanagedFds |
                                                       node::EnvironmentFlags::kNoCreateInspector));
    if (!setup) {
        *why = strdup((p->why.empty() ? join(errors) : p->why).c_str());
        return -1;
    }
    return run(setup.get(), code, bind, is_there, arg);
}

void iris__shim_stop(void *env)
{
    node::Stop(static_cast<node::Environment *>(env));
}

unsigned long iris__shim_heap(void)
{
    v8::HeapStatistics now;
    v8::Isolate::GetCurrent()->GetHeapStatistics(&now);
    return now.used_heap_size() + now.external_memory();
}

int iris__shim_where(const char *code, char **text)
{
    v8::Isolate *isolate = v8::Isolate::GetCurrent();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::HandleScope handles(isolate);
    v8::TryCatch caught(isolate);
    v8::Local<v8::String> source, name = v8::String::Empty(isolate);
    if (!v8::String::NewFromUtf8(isolate, code).ToLocal(&source))
        return 0;
    v8::ScriptOrigin origin(isolate, name, 0, 0, false, -1, v8::Local<v8::Value>(), false, false,
                            true);
    v8::ScriptCompiler::Source unit(source, origin);
    if (!v8::ScriptCompiler::CompileModule(isolate, &unit).IsEmpty() || caught.Message().IsEmpty())
        return 0;
    v8::Local<v8::String> line;
    if (caught.Message()->GetSourceLine(context).ToLocal(&line))
        *text = strdup(*v8::String::Utf8Value(isolate, line));
    return caught.Message()->GetLineNumber(context).FromMaybe(0);
}

#include "payload.h"

#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <iris/app.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_LIMIT 65536 /* as docs/control.md says */
#define REQUEST_REST 256    /* its head, and members that are put into it later */

static int read_all(struct payload *p, int fd)
{
    size_t room = 0;
    while (p->len < PAYLOAD_MOST) {
        if (p->len == room) {
            room = room ? room * 2 : 65536;
            char *data = realloc(p->data, room);
            if (!data)
                return -1;
            p->data = data;
        }
        ssize_t n = read(fd, p->data + p->len, room - p->len);
        if (n <= 0 && (n == 0 || errno != EINTR))
            return (int)n;
        p->len += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int payload_read(struct payload *p, const char *file)
{
    int is_stdin = !strcmp(file, "-");
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = read_all(p, fd), reason = errno;
    if (!is_stdin)
        close(fd);
    errno = reason;
    return failed;
}

void payload_finish(struct payload *p)
{
    free(p->data);
    *p = (struct payload){0};
}

int payload_put(json_t *object, const struct payload *p)
{
    const char *data = p->data ? p->data : "";
    json_t *text = memchr(data, '\0', p->len) ? NULL : json_stringn(data, p->len);
    if (text)
        return json_object_set_new(object, "data", text);
    char *encoded = malloc(IRIS_BASE64_ROOM(p->len));
    if (!encoded)
        return -1;
    iris_base64_encode(encoded, data, p->len);
    int failed = json_object_set_new(object, "data_base64", json_string(encoded));
    free(encoded);
    return failed;
}

size_t payload_limit(const json_t *object, const struct payload *p)
{
    const json_t *text = json_object_get(object, "data");
    const json_t *data = text ? text : json_object_get(object, "data_base64");
    size_t all = json_dumpb(object, NULL, 0, JSON_COMPACT) + REQUEST_REST;
    size_t own = json_dumpb(data, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) - 2; /* its quotes */
    if (all <= REQUEST_LIMIT)
        return SIZE_MAX;
    size_t room = all - own < REQUEST_LIMIT ? REQUEST_LIMIT - (all - own) : 0;
    if (!text)
        return room / 4 * 3;
    return own == p->len ? room : (size_t)((double)room * (double)p->len / (double)own);
}

static void write_line(const char *data, size_t len, FILE *to)
{
    if (isatty(fileno(to)))
        say_shown(to, data, len, "");
    else
        fwrite(data, 1, len, to);
    if (!len || data[len - 1] != '\n')
        fputc('\n', to);
    fflush(to);
}

void payload_print(const json_t *object, const char *key, FILE *to)
{
    char base64[64];
    const json_t *text = json_object_get(object, key);
    if (text) {
        write_line(json_string_value(text), json_string_length(text), to);
        return;
    }
    snprintf(base64, sizeof base64, "%s_base64", key);
    const char *encoded = json_string_value(json_object_get(object, base64));
    size_t len = encoded ? strlen(encoded) : 0;
    char *data = malloc(len + 1);
    long n = data && encoded ? iris_base64_decode(data, encoded, len) : -1;
    if (n >= 0)
        write_line(data, (size_t)n, to);
    free(data);
}

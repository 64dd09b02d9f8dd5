#include <iris/app.h>

static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t iris_base64_encode(char *out, const void *data, size_t len)
{
    const uint8_t *in = data;
    char *p = out;
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i;
        uint32_t bits = (uint32_t)in[i] << 16;
        bits |= n > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= n > 2 ? in[i + 2] : 0;
        *p++ = letters[bits >> 18];
        *p++ = letters[bits >> 12 & 63];
        *p++ = n > 1 ? letters[bits >> 6 & 63] : '=';
        *p++ = n > 2 ? letters[bits & 63] : '=';
    }
    *p = '\0';
    return (size_t)(p - out);
}

static int value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four letters, of which the last `pad` are '='. */
static int quad(const char *text, int pad, uint32_t *bits)
{
    *bits = 0;
    for (int i = 0; i < 4; i++) {
        int v = i < 4 - pad ? value(text[i]) : 0;
        if (v < 0)
            return -1;
        *bits = *bits << 6 | (uint32_t)v;
    }
    return 0;
}

static int padding(const char *text, size_t len)
{
    if (!len || text[len - 1] != '=')
        return 0;
    return text[len - 2] == '=' ? 2 : 1;
}

long iris_base64_decode(void *out, const char *text, size_t len)
{
    if (len % 4)
        return -1;
    uint8_t *p = out;
    int last = padding(text, len);
    for (size_t i = 0; i < len; i += 4) {
        uint32_t bits;
        int pad = i + 4 == len ? last : 0;
        if (quad(text + i, pad, &bits))
            return -1;
        for (int byte = 0; byte < 3 - pad; byte++)
            *p++ = (uint8_t)(bits >> (16 - 8 * byte));
        if (bits & ((1u << (8 * pad)) - 1))
            return -1; /* bits behind the end: two texts for the same bytes */
    }
    return p - (uint8_t *)out;
}

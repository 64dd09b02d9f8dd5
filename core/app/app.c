/* Placeholder: the door that the program needs, until the runtime is behind it. */
#include <iris/app.h>

#include "fail.h"

int iris_app_run(const iris_app_options *options)
{
    if (options->out)
        options->out(options->ctx, IRIS_APP_ERROR, "iris run: the runtime is not built in yet");
    return IRIS_EXIT_FAILED;
}

int iris_app_check(const char *file, const char *const *sets, uint32_t nsets, int as_json,
                   void (*write)(void *ctx, const char *text), void *ctx)
{
    (void)file, (void)sets, (void)nsets, (void)as_json;
    write(ctx, "iris check: the manifest is not built in yet\n");
    return IRIS_EXIT_FAILED;
}

const char *iris_app_version(void)
{
    return "0.1.0";
}

/* What `iris new` writes: an app that runs, for each language. Texts, in which @NAME@, @PATH@ and @INCLUDE@ are
 * replaced. */
#ifndef IRIS_TOOL_NEW_FILES_H
#define IRIS_TOOL_NEW_FILES_H

struct new_file {
    const char *name, *text;
};

struct new_language {
    const char *name;
    const char *host;    /* that runs it */
    const char *handler; /* as the manifest names it */
    const char *build;   /* what makes the handler, run in the app's directory; or NULL */
    const char *change;  /* what one does after an edit, before `iris swap`; or NULL */
    const struct new_file *files;
};

extern const struct new_language new_languages[]; /* ends with a NULL name */

#endif

/* Cannot go back: it writes its own format only. */
#define TALLY 3
#include "tally.h"

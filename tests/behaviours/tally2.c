#define TALLY 2
#define TALLY_DOWNGRADES
#include "tally.h"

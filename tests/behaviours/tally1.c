#define TALLY 1
#include "tally.h"

#include "tests/rpc/mux_pair.h"

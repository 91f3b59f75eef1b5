// All of Go's vocabulary at once: tasks, nurseries, channels, select, timers, signals.
#pragma once

#include "tubing/channel/broadcast.h"
#include "tubing/channel/channel.h"
#include "tubing/channel/duplex.h"
#include "tubing/channel/fan_in.h"
#include "tubing/channel/nursery.h"
#include "tubing/channel/run_blocking.h"
#include "tubing/channel/run_main.h"
#include "tubing/channel/select.h"
#include "tubing/channel/semaphore.h"
#include "tubing/channel/service.h"
#include "tubing/channel/signals.h"
#include "tubing/channel/task.h"
#include "tubing/channel/thread_channel.h"
#include "tubing/channel/ticker.h"
#include "tubing/channel/timers.h"
#include "tubing/channel/watch.h"

// How often a job that fails now and then writes a checkpoint, and how much of its time is training
// that lasts. Any thread.
#pragma once

#include "feedrate/base/quantity.h"

namespace feedrate {

// Returns the training between two checkpoints that loses least when each costs `cost`. It is
// Daly's higher-order estimate, sqrt(2 M C) (1 + sqrt(C / 2M) / 3 + C / 18 M) - C, and M from C = 2
// M on; Young's sqrt(2 M C) is its first term. J. T. Daly, Future Generation Computer Systems 22
// (2006) 303-312; J. W. Young, CACM 17 (1974).
Seconds daly_interval(Seconds mean_time_between_failures, Seconds cost);
// Returns the share of time that is training which lasts, when failures come at random
// (exponentially): interval / (M e^(R/M) (e^((interval + cost)/M) - 1)), from the same paper.
// `restart` is what each failure costs beside the work since the last checkpoint. Where interval
// and cost are 0 it is the limit, e^(-R/M).
Count daly_goodput(Seconds mean_time_between_failures, Seconds interval, Seconds cost,
                   Seconds restart);

}  // namespace feedrate

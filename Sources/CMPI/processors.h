// The processors that a thread may run on. Swift's Glibc module leaves these GNU extensions out.

#ifndef CMPI_PROCESSORS_H
#define CMPI_PROCESSORS_H

#include <stddef.h>

extern int sched_getaffinity(int process, size_t bytes, void *mask);
extern int sched_setaffinity(int process, size_t bytes, const void *mask);

// Of the calling thread; 0 when it succeeds. A mask is `bytes` bytes, a bit for each processor.
static inline int cmpi_get_processors(unsigned char *mask, size_t bytes) {
  return sched_getaffinity(0, bytes, mask) < 0;
}

static inline int cmpi_set_processors(const unsigned char *mask, size_t bytes) {
  return sched_setaffinity(0, bytes, mask) < 0;
}

#endif

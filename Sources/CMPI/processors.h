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

// The first kind of instructions that this program was compiled to use and this processor lacks; 0 when
// it lacks none. Only the compiler knows what it was told of the processor.
static inline const char *cmpi_missing_instructions(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
#ifdef __AVX512F__
  if (!__builtin_cpu_supports("avx512f")) return "AVX-512";
#endif
#ifdef __AVX2__
  if (!__builtin_cpu_supports("avx2")) return "AVX2";
#endif
#ifdef __FMA__
  if (!__builtin_cpu_supports("fma")) return "FMA";
#endif
#ifdef __BMI2__
  if (!__builtin_cpu_supports("bmi2")) return "BMI2";
#endif
#endif
  return 0;
}

#endif

// Processor affinity and instruction sets. Swift's Glibc module lacks these GNU extensions.

#ifndef CSYSTEM_PROCESSORS_H
#define CSYSTEM_PROCESSORS_H

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

extern int sched_getaffinity(int process, size_t bytes, void *mask);
extern int sched_setaffinity(int process, size_t bytes, const void *mask);

// The affinity mask of the calling thread, `bytes` bytes with one bit per processor; returns 0 on
// success.
static inline int csystem_get_processors(unsigned char *mask, size_t bytes) {
  return sched_getaffinity(0, bytes, mask) < 0;
}

static inline int csystem_set_processors(const unsigned char *mask, size_t bytes) {
  return sched_setaffinity(0, bytes, mask) < 0;
}

// The width in bits of the widest vectors of floats that this processor multiplies and adds at
// once; 0 if unknown. Zen 4 has instructions for 512 bits and computes them in two halves. Swift
// cannot query processor features.
static inline int csystem_vector_bits(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return __builtin_cpu_is("amdfam19h") ? 256 : 512;  // of family 19h only Zen 4 has AVX-512
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 256;
  return 128;
#else
  return 0;
#endif
}

#ifdef __x86_64__
#define CSYSTEM_OLDEST __attribute__((noinline, target("arch=x86-64")))
#else
#define CSYSTEM_OLDEST __attribute__((noinline))
#endif

// Ends the program with a message and `status` if the processor lacks instructions that the
// compiler may use. It is written in C because only the C compiler defines macros for them, and
// compiled for the oldest processors because all other code, including Swift's printing, may use
// these instructions.
CSYSTEM_OLDEST static void csystem_expect_processor(int status) {
  const char *missing = 0;
#ifdef __x86_64__
  __builtin_cpu_init();
#ifdef __BMI2__
  if (!__builtin_cpu_supports("bmi2")) missing = "BMI2";
#endif
#ifdef __FMA__
  if (!__builtin_cpu_supports("fma")) missing = "FMA";
#endif
#ifdef __AVX2__
  if (!__builtin_cpu_supports("avx2")) missing = "AVX2";
#endif
#ifdef __AVX512F__
  if (!__builtin_cpu_supports("avx512f")) missing = "AVX-512";
#endif
#endif
  if (!missing) return;
  char host[256] = "this host";
  gethostname(host, sizeof host - 1);
  dprintf(
      2,
      "electra: the processor of %s lacks %s, which this program was built for; build it on the host "
      "with the oldest processor, with ELECTRA_MARCH=native\n",
      host, missing);
  _exit(status);
}

#endif

// The processors that a thread may run on. Swift's Glibc module leaves these GNU extensions out.

#ifndef CSYSTEM_PROCESSORS_H
#define CSYSTEM_PROCESSORS_H

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

extern int sched_getaffinity(int process, size_t bytes, void *mask);
extern int sched_setaffinity(int process, size_t bytes, const void *mask);

// Of the calling thread; 0 when it succeeds. A mask is `bytes` bytes, a bit for each processor.
static inline int csystem_get_processors(unsigned char *mask, size_t bytes) {
  return sched_getaffinity(0, bytes, mask) < 0;
}

static inline int csystem_set_processors(const unsigned char *mask, size_t bytes) {
  return sched_setaffinity(0, bytes, mask) < 0;
}

// The widest vectors, in bits, for which this processor has the instructions of float products; 0 where that
// is not known. Swift has no word for a processor's features.
static inline int csystem_vector_bits(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return 512;
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

// Ends the program with a sentence and `status` where the processor lacks instructions that the compiler
// was told to use. Only it knows which; and all other code, the printing of a sentence in Swift too, may
// use them, so this function is compiled for the oldest processors.
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

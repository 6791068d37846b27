// Which implementations this processor can run.

#include "CKernels.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

int ckernels_has_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

int ckernels_has_avx512(void) {
  return ckernels_has_avx2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

int ckernels_has_avx512_bf16(void) {
  return ckernels_has_avx512() && __builtin_cpu_supports("avx512bf16");
}

// Linux gives a process the tile registers (component 18 of the processor's state) on request.
int ckernels_has_amx(void) {
  enum { request_permission = 0x1023, tile_data = 18 };
  enum { amx_bf16 = 1 << 22, amx_tile = 1 << 24 };  // bits of EDX
  unsigned a, b, c, d;
  return ckernels_has_avx2() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & amx_bf16) &&
         (d & amx_tile) && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

#else  // No other implementation than the scalar one.

void ckernels_avx2(const ckernels_block *block) { ckernels_scalar(block); }
void ckernels_avx512(const ckernels_block *block) { ckernels_scalar(block); }
void ckernels_avx512_bf16(const ckernels_block *block) { ckernels_scalar(block); }
void ckernels_amx(const ckernels_block *block) { ckernels_scalar(block); }
int ckernels_has_avx2(void) { return 0; }
int ckernels_has_avx512(void) { return 0; }
int ckernels_has_avx512_bf16(void) { return 0; }
int ckernels_has_amx(void) { return 0; }

#endif

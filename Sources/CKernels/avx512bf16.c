// AVX512-BF16: VDPBF16PS multiplies and adds 16 pairs. It ignores the floating-point control
// register: it always rounds to nearest even and flushes subnormals.

#include "CKernels.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <string.h>

#define BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define INLINED static inline __attribute__((always_inline))
#define UNROLLED _Pragma("unroll")

// Sixteen copies of one pair.
BF16 INLINED __m512bh copies(const uint16_t *pair) {
  int32_t bits;
  memcpy(&bits, pair, sizeof bits);
  return (__m512bh)_mm512_set1_epi32(bits);
}

// Computes the sums of the first `height` rows of the tile and one micro-panel of B, in registers.
BF16 INLINED void micro_kernel(
    const ckernels_block *c, const uint16_t *b, float *sums, const int height) {
  const uint16_t *a = c->a;
  __m512 sum[ckernels_tile_rows];
  UNROLLED for (int i = 0; i < height; ++i)
    sum[i] = c->continues ? _mm512_loadu_ps(sums + 16 * i) : _mm512_setzero_ps();
  for (int p = 0; p < c->pairs; ++p, a += 2 * ckernels_tile_rows, b += 2 * ckernels_panel_columns) {
    const __m512bh y = (__m512bh)_mm512_loadu_si512(b);
    UNROLLED for (int i = 0; i < height; ++i)
      // In this order of the factors, the copies become a memory operand of the instruction; with a
      // separate load the loop takes a third longer (Zen 4).
      sum[i] = _mm512_dpbf16_ps(sum[i], y, copies(a + 2 * i));
  }
  UNROLLED for (int i = 0; i < height; ++i) _mm512_storeu_ps(sums + 16 * i, sum[i]);
}

BF16 void ckernels_avx512_bf16(const ckernels_block *block) {
  const ckernels_block c = *block;
  for (int q = 0; q < c.panels; ++q) {
    const uint16_t *b = c.b + q * c.b_panel;
    float *sums = c.sums + q * ckernels_tile_floats;
    // The number of registers is a constant in each copy of the micro-kernel.
    if (c.rows > 16) micro_kernel(&c, b, sums, 24);
    else if (c.rows > 8) micro_kernel(&c, b, sums, 16);
    else micro_kernel(&c, b, sums, 8);
  }
}

#endif

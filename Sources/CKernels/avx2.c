// AVX2: fused multiply-adds of widened elements, at the rate of the float32 micro-kernel.
//
// Elements of A are widened before the sums, since each is used for every column; widening them
// between multiply-adds makes a product a third slower. Elements of B are widened in the inner
// loop, where one operation serves six rows.

#include "CKernels.h"

#ifdef __x86_64__

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define INLINED static inline __attribute__((always_inline))
#define UNROLLED _Pragma("unroll")

enum { tile = ckernels_tile_rows, micro_rows = 6 };
enum { flush_subnormals = 0x8040 };  // the bits FZ and DAZ of the control register
enum { odd, even };  // the halves of pairs in the order of the sums: second elements come first

// One half of eight pairs, as floats.
AVX2 INLINED __m256 widened(__m256i pairs, int half) {
  const __m256i high = _mm256_set1_epi32((int)0xFFFF0000);
  return _mm256_castsi256_ps(
      half == odd ? _mm256_and_si256(pairs, high) : _mm256_slli_epi32(pairs, 16));
}
AVX2 INLINED __m256 load(const uint16_t *pairs, int half) {
  return widened(_mm256_loadu_si256((const __m256i *)pairs), half);
}

// Widens the tile: for each pair of columns, the second elements of the 24 rows, then the first.
AVX2 INLINED void widen(const ckernels_block *c) {
  const uint16_t *from = c->a;
  float *to = c->scratch;
  for (int p = 0; p < c->pairs; ++p, from += 2 * tile, to += 2 * tile)
    UNROLLED for (int i = 0; i < tile; i += 8) {
      _mm256_storeu_ps(to + i, load(from + 2 * i, odd));
      _mm256_storeu_ps(to + tile + i, load(from + 2 * i, even));
    }
}

// Computes the sums of six rows of widened A and one micro-panel of B.
AVX2 INLINED void micro_kernel(
    const ckernels_block *c, const float *a, const uint16_t *b, float *sums) {
  __m256 sum[2 * micro_rows];
  UNROLLED for (int i = 0; i < 2 * micro_rows; ++i)
    sum[i] = c->continues ? _mm256_loadu_ps(sums + 8 * i) : _mm256_setzero_ps();
  for (int p = 0; p < c->pairs; ++p, b += 32)
    UNROLLED for (int half = odd; half <= even; ++half, a += tile) {
      const __m256 left = load(b, half), right = load(b + 16, half);
      UNROLLED for (int i = 0; i < micro_rows; ++i) {
        const __m256 x = _mm256_broadcast_ss(a + i);
        sum[2 * i] = _mm256_fmadd_ps(x, left, sum[2 * i]);
        sum[2 * i + 1] = _mm256_fmadd_ps(x, right, sum[2 * i + 1]);
      }
      // Makes the compiler load B again: kept, it would push sums out of the sixteen registers.
      __asm__ volatile("" ::: "memory");
    }
  UNROLLED for (int i = 0; i < 2 * micro_rows; ++i) _mm256_storeu_ps(sums + 8 * i, sum[i]);
}

// Not inlined, so that the compiler cannot move arithmetic past changes of the control register.
AVX2 __attribute__((noinline)) static void compute(const ckernels_block *c) {
  widen(c);
  for (int q = 0; q < c->panels; ++q)
    for (int r = 0; r < c->rows; r += micro_rows)
      micro_kernel(
          c, c->scratch + r, c->b + q * c->b_panel, c->sums + q * ckernels_tile_floats + 16 * r);
}

void ckernels_avx2(const ckernels_block *block) {
  const unsigned control = _mm_getcsr();
  _mm_setcsr(control | flush_subnormals);
  compute(block);
  _mm_setcsr(control);
}

#endif

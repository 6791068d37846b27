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

enum { micro_rows = 6, flush_subnormals = 0x8040 };  // the bits FZ and DAZ of the control register
enum { odd, even };  // the halves of pairs in the order of the sums: second elements come first
static inline int smaller(int x, int y) { return x < y ? x : y; }

// One half of eight pairs, as floats.
AVX2 INLINED __m256 widened(__m256i pairs, int half) {
  const __m256i high = _mm256_set1_epi32((int)0xFFFF0000);
  return _mm256_castsi256_ps(
      half == odd ? _mm256_and_si256(pairs, high) : _mm256_slli_epi32(pairs, 16));
}
AVX2 INLINED __m256 load(const uint16_t *pairs, int half) {
  return widened(_mm256_loadu_si256((const __m256i *)pairs), half);
}

// The strides of widened rows: pair p of row r is at r * row + p * pair, its even element at `even`
// floats after its odd one.
typedef struct { ptrdiff_t row, pair, even; } strides;

// Widens `rows` rows in the order of the memory: by rows or, where rows are adjacent, by pairs.
AVX2 INLINED strides widen(const ckernels_block *c, const uint16_t *from, int rows) {
  const int by_pairs = c->a_row == 2, count = by_pairs ? rows : c->pairs;
  const ptrdiff_t length = ckernels_padded(count), stride = by_pairs ? c->a_pair : c->a_row;
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  float *to = c->scratch;
  for (int line = by_pairs ? c->pairs : rows; line > 0; --line, from += stride, to += 2 * length)
    for (int i = 0; i < count; i += 8) {
      const __m256i is_inside = _mm256_cmpgt_epi32(_mm256_set1_epi32(count - i), index);
      const __m256i pairs = _mm256_maskload_epi32((const int *)(from + 2 * i), is_inside);
      _mm256_storeu_ps(to + i, widened(pairs, odd));
      _mm256_storeu_ps(to + length + i, widened(pairs, even));
    }
  return (strides){by_pairs ? 1 : 2 * length, by_pairs ? 2 * length : 1, length};
}

// Computes the sums of up to six rows of widened A and one micro-panel of B. Rows after the last
// one repeat it and are not stored.
AVX2 INLINED void micro_kernel(
    const ckernels_block *c, const float *a, strides to, const uint16_t *b, float *sums, int rows) {
  const float *line[micro_rows];
  __m256 sum[2 * micro_rows];
  UNROLLED for (int i = 0; i < micro_rows; ++i) line[i] = a + smaller(i, rows - 1) * to.row;
  UNROLLED for (int i = 0; i < 2 * micro_rows; ++i)
    sum[i] = c->continues && i < 2 * rows ? _mm256_loadu_ps(sums + 8 * i) : _mm256_setzero_ps();
  for (ptrdiff_t p = c->pairs, index = 0; p > 0; --p, b += 32, index += to.pair)
    UNROLLED for (int half = odd; half <= even; ++half) {
      const __m256 left = load(b, half), right = load(b + 16, half);
      UNROLLED for (int i = 0; i < micro_rows; ++i) {
        const __m256 x = _mm256_broadcast_ss(line[i] + index + half * to.even);
        sum[2 * i] = _mm256_fmadd_ps(x, left, sum[2 * i]);
        sum[2 * i + 1] = _mm256_fmadd_ps(x, right, sum[2 * i + 1]);
      }
      // Makes the compiler load B again: kept, it would push sums out of the sixteen registers.
      __asm__ volatile("" ::: "memory");
    }
  UNROLLED for (int i = 0; i < 2 * micro_rows; ++i)
    if (i < 2 * rows) _mm256_storeu_ps(sums + 8 * i, sum[i]);
}

// Not inlined, so that the compiler cannot move arithmetic past changes of the control register.
AVX2 __attribute__((noinline)) static void compute(const ckernels_block *c) {
  for (int first = 0; first < c->rows; first += ckernels_tile_rows) {
    const int rows = smaller(c->rows - first, ckernels_tile_rows);
    const strides to = widen(c, c->a + first / ckernels_tile_rows * c->a_tile, rows);
    for (int q = 0; q < c->panels; ++q)
      for (int r = 0; r < rows; r += micro_rows) {
        const float *a = c->scratch + r * to.row;
        const uint16_t *b = c->b + q * c->b_panel;
        float *sums = c->sums + q * c->sums_panel + 16 * (first + r);
        // A constant number of rows saves comparisons.
        if (rows - r >= micro_rows) micro_kernel(c, a, to, b, sums, micro_rows);
        else micro_kernel(c, a, to, b, sums, rows - r);
      }
  }
}

void ckernels_avx2(const ckernels_block *block) {
  const unsigned control = _mm_getcsr();
  _mm_setcsr(control | flush_subnormals);
  compute(block);
  _mm_setcsr(control);
}

#endif

// The tile of A in the order in which AMX reads it.

#include <immintrin.h>

#include "CKernels.h"

#define AVX2 __attribute__((target("avx2")))
#define INLINED static inline __attribute__((always_inline))
#define UNROLLED _Pragma("unroll")

enum { rows = ckernels_tile_rows };

// Transposes eight rows of eight words.
AVX2 INLINED void transpose(__m256i *row) {
  __m256i a[8], b[8];
  UNROLLED for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_epi32(row[i], row[i + 1]);
    a[i + 1] = _mm256_unpackhi_epi32(row[i], row[i + 1]);
  }
  UNROLLED for (int i = 0; i < 8; i += 4) UNROLLED for (int j = 0; j < 2; ++j) {
    b[i + 2 * j] = _mm256_unpacklo_epi64(a[i + j], a[i + j + 2]);
    b[i + 2 * j + 1] = _mm256_unpackhi_epi64(a[i + j], a[i + j + 2]);
  }
  UNROLLED for (int i = 0; i < 4; ++i) {
    row[i] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x20);
    row[i + 4] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x31);
  }
}

// Writes the pairs of each row of A side by side into the scratch, and zeros behind the last pair
// up to `padded`, a multiple of 8.
AVX2 INLINED void lay_out(const ckernels_block *c, int padded) {
  uint32_t *to = (uint32_t *)c->scratch;
  for (int p = 0; p < padded; p += 8)
    for (int r = 0; r < rows; r += 8) {
      __m256i row[8];
      UNROLLED for (int i = 0; i < 8; ++i)
        row[i] = p + i < c->pairs
                     ? _mm256_loadu_si256((const __m256i *)(c->a + 2 * (rows * (p + i) + r)))
                     : _mm256_setzero_si256();
      transpose(row);
      UNROLLED for (int i = 0; i < 8; ++i)
        _mm256_storeu_si256((__m256i *)(to + padded * (r + i) + p), row[i]);
    }
}

// The functions of OpenBLAS that Swift calls: the matrix product, the number of threads, buffers,
// version. The wrappers exist because CBLAS's enumerations are clumsy to pass from Swift. One more
// wrapper serves the tiled products: Swift cannot express a prefetch.

#ifndef COPENBLAS_SHIM_H
#define COPENBLAS_SHIM_H

#include <cblas.h>

// c (m x n) = alpha * op(a) (m x k) * op(b) (k x n) + beta * c, all row-major with row strides.
static inline void copenblas_sgemm(
    int transposeA, int transposeB, int m, int n, int k, float alpha, const float *a, int strideA,
    const float *b, int strideB, float beta, float *c, int strideC) {
  cblas_sgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      m, n, k, alpha, a, strideA, b, strideB, beta, c, strideC);
}

static inline void copenblas_use_one_thread(void) { openblas_set_num_threads(1); }

// A product uses one of the library's buffers while it runs. If the system refuses the memory for a
// new one, the library retries forever. Hence buffers are allocated beforehand, when a failure can
// be reported. The symbols are weak because some builds of the library hide them.
extern void *blas_memory_alloc(int position) __attribute__((weak));
extern void blas_memory_free(void *buffer) __attribute__((weak));

static inline int copenblas_has_buffers(void) { return blas_memory_alloc && blas_memory_free; }
static inline void *copenblas_take_buffer(void) { return blas_memory_alloc(0); }
static inline void copenblas_give_buffer(void *buffer) { blas_memory_free(buffer); }

// The name of the kernels chosen for this processor: "Zen", "SkylakeX".
static inline const char *copenblas_core_name(void) { return openblas_get_corename(); }

// Version and build options, for the log.
static inline const char *copenblas_configuration(void) { return openblas_get_config(); }

// Starts to fetch the cache line at p for writing.
static inline void copenblas_prefetch(const float *p) { __builtin_prefetch(p, 1, 3); }

#endif

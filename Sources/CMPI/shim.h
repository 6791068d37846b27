// What Swift needs of MPI. MPI's constants are macros and its handles are implementation-specific
// types, neither of which Swift can import; so each call that we use gets a wrapper.

#ifndef CMPI_SHIM_H
#define CMPI_SHIM_H

#include <mpi.h>

static inline int cmpi_initialize(int *provided) {
  return MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, provided);
}

#endif

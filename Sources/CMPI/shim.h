// What Swift needs of MPI. MPI's constants are macros and its handles are types that differ between
// implementations; Swift can import neither, so each call that we use gets a wrapper. Communicators
// are passed as their Fortran handles, which are plain ints everywhere.
//
// All functions return MPI's status: 0 when they succeed.

#ifndef CMPI_SHIM_H
#define CMPI_SHIM_H

#include <mpi.h>
#include <stdint.h>
#include <time.h>

static inline int cmpi_is_initialized(void) {
  int answer = 0;
  MPI_Initialized(&answer);
  return answer;
}

// Starts MPI so that several threads may call it; `allowed` tells whether it agrees.
static inline int cmpi_initialize(int *allowed) {
  int provided = MPI_THREAD_SINGLE;
  int status = MPI_Init_thread(0, 0, MPI_THREAD_MULTIPLE, &provided);
  *allowed = provided == MPI_THREAD_MULTIPLE;
  return status;
}

static inline int cmpi_finalize(void) { return MPI_Finalize(); }

static inline int cmpi_world(void) { return MPI_Comm_c2f(MPI_COMM_WORLD); }

static inline int cmpi_rank(int comm) {
  int rank = 0;
  MPI_Comm_rank(MPI_Comm_f2c(comm), &rank);
  return rank;
}

static inline int cmpi_size(int comm) {
  int size = 0;
  MPI_Comm_size(MPI_Comm_f2c(comm), &size);
  return size;
}

static inline int cmpi_duplicate(int comm, int *copy) {
  MPI_Comm made = MPI_COMM_NULL;
  int status = MPI_Comm_dup(MPI_Comm_f2c(comm), &made);
  *copy = MPI_Comm_c2f(made);
  return status;
}

// The ranks of `comm` on the caller's host.
static inline int cmpi_split_by_host(int comm, int *part) {
  MPI_Comm made = MPI_COMM_NULL;
  int status = MPI_Comm_split_type(
      MPI_Comm_f2c(comm), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &made);
  *part = MPI_Comm_c2f(made);
  return status;
}

// Gives back what `cmpi_duplicate` or `cmpi_split_by_host` made. Every rank of it must call this.
static inline int cmpi_free(int comm) {
  MPI_Comm made = MPI_Comm_f2c(comm);
  return MPI_Comm_free(&made);
}

static inline int cmpi_barrier(int comm) { return MPI_Barrier(MPI_Comm_f2c(comm)); }

static inline int cmpi_broadcast_bytes(int comm, void *bytes, int count, int root) {
  return MPI_Bcast(bytes, count, MPI_BYTE, root, MPI_Comm_f2c(comm));
}

// Broadcasts rank zero's number. The others sleep until it comes, however long that takes: MPI's own
// waiting keeps a processor busy.
static inline int cmpi_await_int(int comm, int *value) {
  MPI_Request request;
  int done = 0;
  int status = MPI_Ibcast(value, 1, MPI_INT, 0, MPI_Comm_f2c(comm), &request);
  while (status == MPI_SUCCESS && !done) {
    status = MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    struct timespec pause = {0, 20 * 1000 * 1000};
    if (!done) nanosleep(&pause, 0);
  }
  return status;
}

static inline int cmpi_sum_int64(int comm, int64_t *values, int count) {
  return MPI_Allreduce(
      MPI_IN_PLACE, values, count, MPI_INT64_T, MPI_SUM, MPI_Comm_f2c(comm));
}

static inline int cmpi_sum_floats(int comm, float *values, int count) {
  return MPI_Allreduce(
      MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, MPI_Comm_f2c(comm));
}

static inline int cmpi_all_gather_bytes(
    int comm, const void *own, int count, void *all, const int *counts, const int *places) {
  return MPI_Allgatherv(
      own, count, MPI_BYTE, all, counts, places, MPI_BYTE, MPI_Comm_f2c(comm));
}

// Every rank's own part already stands in `all`.
static inline int cmpi_all_gather_floats_in_place(
    int comm, float *all, const int *counts, const int *places) {
  return MPI_Allgatherv(
      MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, counts, places, MPI_FLOAT, MPI_Comm_f2c(comm));
}

static inline int cmpi_exchange_floats(
    int comm, const float *send, const int *send_counts, const int *send_places, float *receive,
    const int *receive_counts, const int *receive_places) {
  return MPI_Alltoallv(
      send, send_counts, send_places, MPI_FLOAT, receive, receive_counts, receive_places,
      MPI_FLOAT, MPI_Comm_f2c(comm));
}

// Floats to or from one rank, waiting until they are through.
static inline int cmpi_send_floats(int comm, const float *values, int count, int rank) {
  return MPI_Send(values, count, MPI_FLOAT, rank, 0, MPI_Comm_f2c(comm));
}

static inline int cmpi_receive_floats(int comm, float *values, int count, int rank) {
  return MPI_Recv(values, count, MPI_FLOAT, rank, 0, MPI_Comm_f2c(comm), MPI_STATUS_IGNORE);
}

// Ends every rank at once.
static inline void cmpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

// Both write at most `capacity` bytes, with a zero at the end.
static inline void cmpi_library_version(char *text, int capacity) {
  char whole[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(whole, &length);
  int i = 0;
  for (; i < length && i < capacity - 1; i++) text[i] = whole[i];
  text[i] = 0;
}

static inline void cmpi_error_text(int status, char *text, int capacity) {
  char whole[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, whole, &length);
  int i = 0;
  for (; i < length && i < capacity - 1; i++) text[i] = whole[i];
  text[i] = 0;
}

#endif

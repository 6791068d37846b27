// Wrappers of the MPI calls that Swift uses. MPI's constants are macros and its handles are types
// that differ between implementations; Swift can import neither. Communicators are passed as their
// Fortran handles, which are ints in every implementation.
//
// Functions with a status return MPI's: 0 on success.

#ifndef CMPI_SHIM_H
#define CMPI_SHIM_H

#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline int cmpi_is_initialized(void) {
  int answer = 0;
  MPI_Initialized(&answer);
  return answer;
}

// Starts MPI with MPI_THREAD_MULTIPLE; `allowed` is set to whether the library supports that.
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

// The ranks of `comm` with the same color.
static inline int cmpi_split(int comm, int color, int *part) {
  MPI_Comm made = MPI_COMM_NULL;
  int status = MPI_Comm_split(MPI_Comm_f2c(comm), color, 0, &made);
  *part = MPI_Comm_c2f(made);
  return status;
}

// Frees a communicator from one of the three functions above. Collective: all its ranks call it.
static inline int cmpi_free(int comm) {
  MPI_Comm native = MPI_Comm_f2c(comm);
  return MPI_Comm_free(&native);
}

static inline int cmpi_barrier(int comm) { return MPI_Barrier(MPI_Comm_f2c(comm)); }

// Broadcasts rank zero's bytes.
static inline int cmpi_broadcast_bytes(int comm, void *bytes, int count) {
  return MPI_Bcast(bytes, count, MPI_BYTE, 0, MPI_Comm_f2c(comm));
}

// Broadcasts rank zero's number. The other ranks sleep between tests until it arrives, for any
// length of time; a blocking MPI call would keep a processor busy.
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
    int comm, const void *bytes, int count, void *all, const int *counts,
    const int *displacements) {
  return MPI_Allgatherv(
      bytes, count, MPI_BYTE, all, counts, displacements, MPI_BYTE, MPI_Comm_f2c(comm));
}

// The part of each rank is already at its displacement in that rank's `all`.
static inline int cmpi_all_gather_bytes_in_place(
    int comm, void *all, const int *counts, const int *displacements) {
  return MPI_Allgatherv(
      MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, counts, displacements, MPI_BYTE,
      MPI_Comm_f2c(comm));
}

static inline int cmpi_exchange_bytes(
    int comm, const void *send, const int *send_counts, const int *send_displacements,
    void *receive, const int *receive_counts, const int *receive_displacements) {
  return MPI_Alltoallv(
      send, send_counts, send_displacements, MPI_BYTE, receive, receive_counts,
      receive_displacements, MPI_BYTE, MPI_Comm_f2c(comm));
}

// Blocking send to or receive from one rank.
static inline int cmpi_send_bytes(int comm, const void *bytes, int count, int rank) {
  return MPI_Send(bytes, count, MPI_BYTE, rank, 0, MPI_Comm_f2c(comm));
}

static inline int cmpi_receive_bytes(int comm, void *bytes, int count, int rank) {
  return MPI_Recv(bytes, count, MPI_BYTE, rank, 0, MPI_Comm_f2c(comm), MPI_STATUS_IGNORE);
}

// Ends all ranks at once.
static inline void cmpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

// The next two functions write at most `capacity` bytes, including the final zero.
static inline void cmpi_library_version(char *text, int capacity) {
  char whole[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(whole, &length);
  snprintf(text, (size_t)capacity, "%s", whole);
}

static inline void cmpi_error_text(int status, char *text, int capacity) {
  char whole[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(status, whole, &length);
  snprintf(text, (size_t)capacity, "%s", whole);
}

#endif

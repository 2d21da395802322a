// Counts the messages and bytes that each rank of a program sends, loaded in front of MPICH.
// SPDX-License-Identifier: Apache-2.0
//
// For halo_traffic.py. Handles are integers in MPICH's binary interface, so no MPI header is needed.
#include <stdio.h>

typedef int Handle;
enum { k_world = 0x44000000 };

int PMPI_Type_size(Handle type, int* size);
int PMPI_Comm_rank(Handle comm, int* rank);
int PMPI_Finalize(void);
int PMPI_Send(const void*, int, Handle, int, int, Handle);
int PMPI_Rsend(const void*, int, Handle, int, int, Handle);
int PMPI_Isend(const void*, int, Handle, int, int, Handle, Handle*);
int PMPI_Sendrecv(const void*, int, Handle, int, int, void*, int, Handle, int, int, Handle, void*);

static long long messages, bytes;

static void count(int n, Handle type) {
  int size = 0;
  PMPI_Type_size(type, &size);
  messages += 1;
  bytes += (long long)n * size;
}

int MPI_Send(const void* data, int n, Handle type, int to, int tag, Handle comm) {
  count(n, type);
  return PMPI_Send(data, n, type, to, tag, comm);
}

int MPI_Rsend(const void* data, int n, Handle type, int to, int tag, Handle comm) {
  count(n, type);
  return PMPI_Rsend(data, n, type, to, tag, comm);
}

int MPI_Isend(const void* data, int n, Handle type, int to, int tag, Handle comm, Handle* request) {
  count(n, type);
  return PMPI_Isend(data, n, type, to, tag, comm, request);
}

int MPI_Sendrecv(const void* data, int n, Handle type, int to, int tag, void* room, int n_room, Handle room_type,
                 int from, int room_tag, Handle comm, void* status) {
  count(n, type);
  return PMPI_Sendrecv(data, n, type, to, tag, room, n_room, room_type, from, room_tag, comm, status);
}

int MPI_Finalize(void) {
  int rank = 0;
  char name[32];
  PMPI_Comm_rank(k_world, &rank);
  snprintf(name, sizeof name, "messages.%d", rank);
  FILE* file = fopen(name, "w");
  if (file) {
    fprintf(file, "%lld %lld\n", messages, bytes);
    fclose(file);
  }
  return PMPI_Finalize();
}

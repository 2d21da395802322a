# Toolchain: g++ for 64-bit ARM, the distribution's arm64 libraries, and qemu to run what was built. Preset sve.
#
# NANODAY_SVE_BITS   vector length of the emulated processor: 512 (A64FX), 256 (Neoverse V1), 128 (Neoverse V2)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

# CMake reads this file again for every try_compile; the folder is made, or seen to be up to date, once.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NANODAY_SYSROOT)
get_property(nanoday_inner GLOBAL PROPERTY IN_TRY_COMPILE)
if(NOT nanoday_inner)
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../arm64_sysroot
    OUTPUT_VARIABLE NANODAY_SYSROOT OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE nanoday_failed)
  if(nanoday_failed)
    message(FATAL_ERROR "scripts/arm64_sysroot could not make the folder of arm64 libraries; it says why above")
  endif()
endif()
set(CMAKE_SYSROOT ${NANODAY_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)  # protoc, python3 and mpirun are this machine's
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(NANODAY_SVE_BITS 512 CACHE STRING "vector length of the emulated processor in bits: 128, 256, 512")
math(EXPR nanoday_sve_bytes "${NANODAY_SVE_BITS} / 8")
# A program takes the longest vectors up to the default length, which is what Linux does, too.
set(CMAKE_CROSSCOMPILING_EMULATOR
  qemu-aarch64 -cpu max,sve512=on,sve-default-vector-length=${nanoday_sve_bytes} -L ${NANODAY_SYSROOT})

set(NANODAY_CUDA_ARCHITECTURES none CACHE STRING "a CUDA compiler found here would be for this machine")

# pkg-config describes the libraries of the folder, not this machine's.
set(ENV{PKG_CONFIG_LIBDIR} ${NANODAY_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${NANODAY_SYSROOT}/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${NANODAY_SYSROOT})

# Open MPI's mpicxx would have to run; what it would say is known.
set(MPI_SKIP_COMPILER_WRAPPER TRUE)
set(nanoday_mpi ${NANODAY_SYSROOT}/usr/lib/aarch64-linux-gnu/openmpi)
set(MPI_CXX_HEADER_DIR ${nanoday_mpi}/include CACHE PATH "Open MPI's headers")
set(MPI_CXX_LIB_NAMES mpi CACHE STRING "Open MPI's library")
set(MPI_mpi_LIBRARY ${nanoday_mpi}/lib/libmpi.so CACHE FILEPATH "Open MPI's library")

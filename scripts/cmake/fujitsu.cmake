# Toolchain: Fujitsu's C++ compiler in its clang mode, on a node with A64FX processors. Preset a64fx-fujitsu.
#
# Not tested: no machine with this compiler was at hand. Its front end must know C++20 with concepts; releases built
# on LLVM 7 do not and stop at the first header. Its back end must know SVE vectors of fixed length: clang 16 compiles
# all kernels with these flags, clang 14 fails at one. Where either lacks, preset a64fx (GCC 12 or later) is the one to
# take.
set(CMAKE_CXX_COMPILER FCC)
# Neither -Kfast nor -Ofast beside CMake's own -O3: both allow what IEEE arithmetic does not (reordered sums,
# approximate quotients), and fixed bits rest on it.
set(CMAKE_CXX_FLAGS_INIT "-Nclang -mcpu=a64fx")
# The machine's BLAS and LAPACK; CMake knows how it is linked. nanoday calls it from threads of its own.
set(BLA_VENDOR Fujitsu_SSL2 CACHE STRING "whose BLAS and LAPACK")

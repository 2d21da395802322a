# Is there MPI? Sets NANODAY_HAS_MPI, or says why the program will have one rank.
option(NANODAY_MPI "run on several ranks where MPI is installed" ON)
set(NANODAY_HAS_MPI FALSE)
set(MPI_CXX_SKIP_MPICXX TRUE)  # the C interface is enough
if(NOT NANODAY_MPI)
  message(STATUS "MPI: skipped (NANODAY_MPI is OFF); the program runs on one rank")
elseif(NANODAY_SANITIZE)
  message(STATUS "MPI: skipped (sanitizers would report what MPI itself does); the program runs on one rank")
else()
  find_package(MPI QUIET COMPONENTS CXX)
  if(MPI_CXX_FOUND)
    set(NANODAY_HAS_MPI TRUE)
    message(STATUS "MPI: ${MPI_CXX_LIBRARIES}")
  else()
    message(STATUS "MPI: skipped (not found; install libopenmpi-dev or set MPI_HOME); the program runs on one rank")
  endif()
endif()

# What mpirun needs here, as environment of a test: only this machine, more ranks than cores, also as root (in
# containers). Settings of Open MPI; others have no need of them.
set(NANODAY_MPI_ENVIRONMENT OMP_NUM_THREADS=1
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
  OMPI_MCA_btl=self,vader,tcp OMPI_MCA_btl_vader_single_copy_mechanism=none
  OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
  PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
  PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none)

# A test that stands for others which need MPI, and is skipped.
function(nanoday_skip_mpi_test name)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: this build has no MPI")
  set_tests_properties(${name} PROPERTIES LABELS mpi SKIP_REGULAR_EXPRESSION "skipped: this build has no MPI")
endfunction()

# nanoday_add_mpi_test(stem RANKS n… [LABELS l…] [LIBS lib…] [TIMEOUT s]): <stem>_test.cpp, whose body runs in
# rank_worlds() (tests/comm/rank_worlds.hpp), once more under mpirun with every number of ranks: <stem>_mpi_<n>, label
# mpi and those given.
# Without MPI one test <stem>_mpi stands for them and is skipped.
function(nanoday_add_mpi_test stem)
  cmake_parse_arguments(T "" "TIMEOUT" "RANKS;LABELS;LIBS" ${ARGN})
  if(NOT NANODAY_HAS_MPI)
    nanoday_skip_mpi_test(${stem}_mpi)
    return()
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_executable(${stem}_mpi_test ${stem}_test.cpp ${PROJECT_SOURCE_DIR}/tests/comm/mpi_worlds.cpp)
  target_include_directories(${stem}_mpi_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${stem}_mpi_test PRIVATE NANODAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${stem}_mpi_test PRIVATE nanoday_comm ${T_LIBS} GTest::gtest)
  set_target_properties(${stem}_mpi_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(sve IN_LIST T_LABELS)
    add_dependencies(sve_tests ${stem}_mpi_test)
  endif()
  math(EXPR inner "${T_TIMEOUT} - 10")  # mpirun ends its ranks before CTest ends mpirun
  foreach(ranks ${T_RANKS})
    add_test(NAME ${stem}_mpi_${ranks}
      COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks}
        ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:${stem}_mpi_test>)
    set_tests_properties(${stem}_mpi_${ranks} PROPERTIES LABELS "mpi;${T_LABELS}" TIMEOUT ${T_TIMEOUT} PROCESSORS 2
      ENVIRONMENT "${NANODAY_MPI_ENVIRONMENT};MPIEXEC_TIMEOUT=${inner}")
  endforeach()
endfunction()

# nanoday_add_mpirun_test(stem [LABELS l…] [LIBS lib…] [TIMEOUT s]): a test that starts programs through
# NANODAY_MPIRUN, "mpirun -n"; labels are mpi and those given.
function(nanoday_add_mpirun_test stem)
  cmake_parse_arguments(T "" "TIMEOUT" "LABELS;LIBS" ${ARGN})
  if(NOT NANODAY_HAS_MPI)
    nanoday_skip_mpi_test(${stem})
    return()
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  nanoday_add_test(${stem} LABELS mpi ${T_LABELS} LIBS ${T_LIBS} TIMEOUT ${T_TIMEOUT})
  target_compile_definitions(${stem}_test PRIVATE NANODAY_MPIRUN="${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG}")
  set(inner 50)  # seconds for one mpirun
  if(CMAKE_CROSSCOMPILING)
    set(inner 200)  # emulated
  endif()
  set_tests_properties(${stem} PROPERTIES PROCESSORS 2
    ENVIRONMENT "${NANODAY_MPI_ENVIRONMENT};MPIEXEC_TIMEOUT=${inner}")
endfunction()

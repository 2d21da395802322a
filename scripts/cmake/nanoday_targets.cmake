# Helpers for targets: warnings, sanitizers, tests.
add_library(nanoday_flags INTERFACE)
target_include_directories(nanoday_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/comm)
target_compile_options(nanoday_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wno-psabi>")
if(NANODAY_WERROR)
  target_compile_options(nanoday_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(NANODAY_SANITIZE)
  target_compile_options(nanoday_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g)
  target_link_options(nanoday_flags INTERFACE -fsanitize=address,undefined)
endif()

# nanoday_library(name): a static library with the common flags; sources follow by target_sources.
function(nanoday_library name)
  add_library(${name} STATIC)
  target_link_libraries(${name} PUBLIC nanoday_flags ${ARGN})
endfunction()

# What starts a program of this build, for command lines: the emulator of a cross build, else nothing.
set(NANODAY_EMULATOR "")
foreach(word ${CMAKE_CROSSCOMPILING_EMULATOR})
  string(APPEND NANODAY_EMULATOR "${word} ")
endforeach()

# Cross builds make only the tests of label sve: under an emulator the others take hours and show nothing new.
add_custom_target(sve_tests)

# nanoday_add_test(stem LABELS l… LIBS lib… [TIMEOUT s]): one GoogleTest binary from <stem>_test.cpp.
function(nanoday_add_test stem)
  cmake_parse_arguments(T "" "TIMEOUT" "LABELS;LIBS" ${ARGN})
  add_executable(${stem}_test ${stem}_test.cpp)
  target_include_directories(${stem}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${stem}_test PRIVATE NANODAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${stem}_test PRIVATE ${T_LIBS} GTest::gtest GTest::gtest_main)
  set_target_properties(${stem}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${stem} COMMAND ${stem}_test)
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  if(CMAKE_CROSSCOMPILING)
    math(EXPR T_TIMEOUT "4 * ${T_TIMEOUT}")  # emulated
  endif()
  set_tests_properties(${stem} PROPERTIES LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT})
  if(sve IN_LIST T_LABELS)
    add_dependencies(sve_tests ${stem}_test)
  endif()
endfunction()

# nanoday_test_shorter_vectors(stem…): cross builds run these tests on processors with vectors of 256 and 128 bits, too.
function(nanoday_test_shorter_vectors)
  if(NOT CMAKE_CROSSCOMPILING OR NOT NANODAY_HAS_SVE)
    return()
  endif()
  foreach(stem ${ARGN})
    foreach(bits 256 128)
      math(EXPR bytes "${bits} / 8")
      list(TRANSFORM CMAKE_CROSSCOMPILING_EMULATOR REPLACE "sve-default-vector-length=[0-9]+"
        "sve-default-vector-length=${bytes}" OUTPUT_VARIABLE emulator)
      add_test(NAME ${stem}_${bits} COMMAND ${emulator} $<TARGET_FILE:${stem}_test>)
      set_tests_properties(${stem}_${bits} PROPERTIES LABELS sve TIMEOUT 480)
    endforeach()
  endforeach()
endfunction()

# nanoday_add_gpu_test(stem [NO_KERNELS] [LIBS lib…]): the same <stem>_test.cpp for a GPU, as <stem>_gpu, label gpu;
# where no GPU answers it counts as skipped. Compiled by nvcc, unless it holds no kernels of its own.
function(nanoday_add_gpu_test stem)
  cmake_parse_arguments(T "NO_KERNELS" "" "LIBS" ${ARGN})
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${stem}_test.cpp)
  if(NOT T_NO_KERNELS)
    # A file of its own: one source file cannot be CUDA in one target and C++ in another.
    set(wrapper ${CMAKE_CURRENT_BINARY_DIR}/${stem}_gpu.cu)
    file(CONFIGURE OUTPUT ${wrapper} CONTENT "#include \"${source}\"\n")
    set(source ${wrapper})
  endif()
  add_executable(${stem}_gpu_test ${source} ${PROJECT_SOURCE_DIR}/tests/cuda/gpu_main.cpp)
  target_include_directories(${stem}_gpu_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${stem}_gpu_test PRIVATE NANODAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${stem}_gpu_test PRIVATE nanoday_cuda nanoday_cuda_flags ${T_LIBS} GTest::gtest)
  set_target_properties(${stem}_gpu_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests
    CUDA_STANDARD_REQUIRED OFF CUDA_RUNTIME_LIBRARY Static)
  add_test(NAME ${stem}_gpu COMMAND ${stem}_gpu_test)
  set_tests_properties(${stem}_gpu PROPERTIES LABELS gpu TIMEOUT 120 SKIP_RETURN_CODE 77 RESOURCE_LOCK gpu)
endfunction()

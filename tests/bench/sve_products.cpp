// Multiplies inputs of a fitting net by its weights with the kernels or with a BLAS, between two marks.
// SPDX-License-Identifier: Apache-2.0
//
// scripts/sve_report counts the instructions between them. Usage: sve_products kernels|LIBRARY PREFIX
// double|single N_IN N_OUT ATOMS; PREFIX is what the names of the library's functions begin with before
// "cblas_" ("-": nothing). Prints the name of the processor that the BLAS has kernels for, the largest error
// over Σ|wx|, and the bits of the first atom's results as one number.
#include "arm/lanes.hpp"
//
#include "cpu/kernels/gemm.hpp"

#include <dlfcn.h>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace nanoday {
namespace {

using namespace cpu;
using namespace cpu::NANODAY_ISA;

struct Shape {
  int n_in, n_out, n_atoms;
};

/// x (n_atoms, n_in) and w (n_in, n_out), the same first atoms for any number of them.
template <class Real>
struct Numbers {
  std::vector<Real> x, w;
  explicit Numbers(const Shape& s) : x(size(s.n_atoms, s.n_in)), w(size(s.n_in, s.n_out)) {
    std::mt19937 random(11);
    std::uniform_real_distribution<double> uniform(-1, 1);
    for (Real& v : w) v = static_cast<Real>(uniform(random));
    for (Real& v : x) v = static_cast<Real>(uniform(random));
  }
  static std::size_t size(int rows, int columns) { return static_cast<std::size_t>(rows) * columns; }
};

/// The plugin counts what lies between the two marks of the second of two calls: the first one pays for what
/// is done once.
template <class Product>
void counted(const Product& product) {
  product();
  asm volatile("hint #112" ::: "memory");
  product();
  asm volatile("hint #113" ::: "memory");
}

/// z (n_atoms, n_out) by the kernels: weights in panels, batches of atoms as the kernels hold them.
template <class Real>
std::vector<Real> by_kernels(const Shape& s, const Numbers<Real>& n) {
  constexpr int ld = k_batch<Real>;
  const int n_batches = (s.n_atoms + ld - 1) / ld;
  Array<Real> panels(n.w.size()), x(Numbers<Real>::size(n_batches * s.n_in, ld), Real(0)),
      z(Numbers<Real>::size(n_batches * s.n_out, ld), Real(0));
  for (int i = 0; i < s.n_in; ++i)
    for (int o = 0; o < s.n_out; ++o)
      panels[Numbers<Real>::size(o / k_panel * s.n_in + i, k_panel) + o % k_panel] =
          n.w[Numbers<Real>::size(i, s.n_out) + o];
  for (int a = 0; a < s.n_atoms; ++a)
    for (int i = 0; i < s.n_in; ++i)
      x[Numbers<Real>::size(a / ld * s.n_in + i, ld) + a % ld] = n.x[Numbers<Real>::size(a, s.n_in) + i];
  counted([&] {
    for (int b = 0; b < n_batches; ++b)
      gemm<Real, GemmStart::zero>(panels, s.n_in, x.data() + Numbers<Real>::size(b * s.n_in, ld),
                                  z.data() + Numbers<Real>::size(b * s.n_out, ld), panels.data(),
                                  std::min(ld, s.n_atoms - b * ld));
  });
  std::vector<Real> out(Numbers<Real>::size(s.n_atoms, s.n_out));
  for (int a = 0; a < s.n_atoms; ++a)
    for (int o = 0; o < s.n_out; ++o)
      out[Numbers<Real>::size(a, s.n_out) + o] = z[Numbers<Real>::size(a / ld * s.n_out + o, ld) + a % ld];
  return out;
}

/// A BLAS that is opened, not linked: any library with the C interface.
class Blas {
 public:
  Blas(const std::string& path, const std::string& prefix)
      : library_(dlopen(path.c_str(), RTLD_NOW)), prefix_(prefix == "-" ? "" : prefix) {
    if (library_ == nullptr) fail(dlerror());
  }
  template <class Function>
  Function* function(const std::string& name) const {
    void* const found = dlsym(library_, (prefix_ + name).c_str());
    if (found == nullptr) fail((prefix_ + name + " is not in the library").c_str());
    return reinterpret_cast<Function*>(found);
  }
  std::string core() const { return function<char*()>("openblas_get_corename")(); }

 private:
  [[noreturn]] static void fail(const char* why) {
    std::fprintf(stderr, "sve_products: %s\n", why);
    std::exit(1);
  }
  void* library_;
  std::string prefix_;
};

// cblas.h: row-major, not transposed, transposed.
enum { k_row_major = 101, k_plain = 111, k_transposed = 112 };

/// z (n_atoms, n_out) by a BLAS, one atom as a product of matrix and vector.
template <class Real>
std::vector<Real> by_blas(const Blas& blas, const Shape& s, const Numbers<Real>& n) {
  const std::string letter = sizeof(Real) == 8 ? "d" : "s";
  auto* const matrix = blas.function<void(int, int, int, int, int, int, Real, const Real*, int, const Real*,
                                          int, Real, Real*, int)>("cblas_" + letter + "gemm");
  auto* const vector =
      blas.function<void(int, int, int, int, Real, const Real*, int, const Real*, int, Real, Real*, int)>(
          "cblas_" + letter + "gemv");
  std::vector<Real> z(Numbers<Real>::size(s.n_atoms, s.n_out), Real(0));
  counted([&] {
    if (s.n_atoms == 1)
      vector(k_row_major, k_transposed, s.n_in, s.n_out, Real(1), n.w.data(), s.n_out, n.x.data(), 1, Real(0),
             z.data(), 1);
    else
      matrix(k_row_major, k_plain, k_plain, s.n_atoms, s.n_out, s.n_in, Real(1), n.x.data(), s.n_in,
             n.w.data(), s.n_out, Real(0), z.data(), s.n_out);
  });
  return z;
}

/// What a product is compared with: more digits than it has.
template <class Real>
using Judge = std::conditional_t<sizeof(Real) == 8, long double, double>;

/// Largest error over Σ|wx|, of the first, the middle and the last atom.
template <class Real>
double error(const Shape& s, const Numbers<Real>& n, const std::vector<Real>& z) {
  double most = 0;
  for (const int a : {0, s.n_atoms / 2, s.n_atoms - 1})
    for (int o = 0; o < s.n_out; ++o) {
      Judge<Real> sum = 0, size = 0;
      for (int i = 0; i < s.n_in; ++i) {
        const auto term = static_cast<Judge<Real>>(n.x[Numbers<Real>::size(a, s.n_in) + i]) *
                          n.w[Numbers<Real>::size(i, s.n_out) + o];
        sum += term;
        size += term < 0 ? -term : term;
      }
      const Judge<Real> off = (z[Numbers<Real>::size(a, s.n_out) + o] - sum) / size;
      most = std::fmax(most, std::fabs(static_cast<double>(off)));
    }
  return most;
}

/// One number (FNV-1a) for the bits of the first atom's results.
template <class Real>
std::uint64_t first_atom(const Shape& s, const std::vector<Real>& z) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (int o = 0; o < s.n_out; ++o) {
    std::uint64_t bits;
    if constexpr (sizeof(Real) == 8)
      bits = std::bit_cast<std::uint64_t>(z[o]);
    else
      bits = std::bit_cast<std::uint32_t>(z[o]);
    hash = (hash ^ bits) * 0x100000001b3;
  }
  return hash;
}

template <class Real>
int run(const std::string& library, const std::string& prefix, const Shape& s) {
  const Numbers<Real> numbers(s);
  std::string core = "SVE";
  std::vector<Real> z;
  if (library == "kernels") {
    z = by_kernels(s, numbers);
  } else {
    const Blas blas(library, prefix);
    core = blas.core();
    z = by_blas(blas, s, numbers);
  }
  std::printf("%s %.3g %016llx\n", core.c_str(), error(s, numbers, z),
              static_cast<unsigned long long>(first_atom(s, z)));
  return 0;
}

}  // namespace
}  // namespace nanoday

int main(int count, char** words) {
  if (count != 7) return 2;
  const nanoday::Shape shape{std::atoi(words[4]), std::atoi(words[5]), std::atoi(words[6])};
  const std::string precision = words[3];
  if (shape.n_in < 1 || shape.n_out % 8 != 0 || shape.n_atoms < 1) return 2;
  if (precision == "double") return nanoday::run<double>(words[1], words[2], shape);
  if (precision == "single") return nanoday::run<float>(words[1], words[2], shape);
  return 2;
}

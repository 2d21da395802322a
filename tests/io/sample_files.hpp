// Small structure files of every format, all of one water molecule and a sodium ion or two.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/temporary_folder.hpp"

#include <cstring>
#include <string>
#include <vector>

namespace nanoday::test {

inline const std::string k_lammps_full = R"(LAMMPS data file via write_data, timestep = 0, units = metal

4 atoms
3 atom types
2 bonds  # two
1 bond types
1 angles
1 angle types

-1.0 9.0 xlo xhi
0.0 11.0 ylo yhi
0.5 12.5 zlo zhi
1.5 -0.5 0.25 xy xz yz

Masses

2 1.00794  # H
1 15.9994  # O
3 22.98977 # Na

Pair Coeffs # lj/cut

1 0.1 3.0
2 0.0 0.0
3 0.1 2.0

Atoms # full

7 1 1 -0.8 1.0 2.0 3.0 0 0 0
2 1 2 0.4 1.9 2.1 3.0 0 1 0
9 1 2 0.4 0.7 2.9 3.1 0 0 -2

4 2 3 1 6.0 7.0 8.0 1 0 0

Velocities

2 0.1 0.2 0.3
7 1 2 3
4 -1 -2 -3
9 0 0 0

Bonds

1 1 7 2
2 1 7 9

Angles

1 1 2 7 9
)";

/// Two water molecules and their virtual Wannier atoms, as LAMMPS needs them for DPLR. Type 1, oxygen, and
/// type 3, virtual, have one mass. Two O-H bonds are there as well; atom 8 sits on its host across a face.
inline const std::string k_lammps_dplr = R"(two molecules with virtual atoms

8 atoms
3 atom types
4 bonds
2 bond types
0 9 xlo xhi
0 10 ylo yhi
0 11 zlo zhi
1.5 0 0.25 xy xz yz

Masses

1 15.9994
2 1.00794
3 15.9994

Atoms # full

1 1 1 6 1.0 2.0 3.0 0 0 0
7 1 3 -8 1.1 2.0 3.1 0 0 0
2 1 2 1 1.9 2.1 3.0 0 0 0
3 1 2 1 0.7 2.9 3.1 0 0 1
4 2 1 6 0.1 5.0 6.0 0 2 0
5 2 2 1 1.0 5.1 6.0 0 0 0
6 2 2 1 0.2 5.9 6.3 0 0 0
8 2 3 -8 8.9 5.0 6.0 -1 0 0

Velocities

1 1 0 0
2 2 0 0
3 3 0 0
4 4 0 0
5 5 0 0
6 6 0 0
7 7 0 0
8 8 0 0

Bonds

1 1 1 7
2 2 1 2
3 2 1 3
4 1 8 4
)";

inline const std::string k_extxyz =
    "3\n"
    "Lattice=\"10.0 0.0 0.0 0.0 11.0 0.0 1.0 0.0 12.0\" Properties=species:S:1:pos:R:3:velo:R:3:tag:I:1 "
    "energy=-3.5 pbc=\"T T F\" Origin=\"0 0 1\" note='a b'\n"
    "O 1.0 2.0 3.0 0.1 0.2 0.3 0\n"
    "H 1.9 2.1 3.0 0 0 0 1\n"
    "H 0.7 2.9 3.1 -1e-1 0 0 1\n"
    "2\n"
    "plain frame\n"
    "Na 0 0 0\n"
    "Cl 2.5 0 0 extra\n";

inline const std::string k_poscar = R"(water in a box
2.0
5.0 0.0 0.0
0.5 5.5 0.0
0.0 0.0 6.0
O_s H
1 2
Selective dynamics
Direct
0.10 0.20 0.30 T T T
0.19 0.21 0.30 T F T
0.07 0.29 0.31 F F F

0.001 0.002 0.003
0 0 0
0 -0.001 0
)";

/// A version 1 npy file of float64 (or float32) numbers.
template <class T>
std::string npy_bytes(const std::vector<T>& values, const std::string& shape) {
  const std::string type = sizeof(T) == 8 ? "<f8" : "<f4";
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((header.size() + 10 + 64) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  const std::size_t begin = bytes.size();
  bytes.resize(begin + values.size() * sizeof(T));
  std::memcpy(bytes.data() + begin, values.data(), values.size() * sizeof(T));
  return bytes;
}

/// Two sets of two and one frames of H O H; returns the folder.
inline std::string write_deepmd_folder(const TemporaryFolder& folder, const std::string& name) {
  folder.write(name + "/type.raw", "1 0 1\n");
  folder.write(name + "/type_map.raw", "O H\n");
  const std::vector<double> box{10, 0, 0, 0, 11, 0, 1, 0, 12, 10, 0, 0, 0, 11, 0, 0, 0, 12};
  const std::vector<double> coord{1, 2, 3, 1.9, 2, 3, 2.5, 2.8, 3, 1, 2, 3, 1.8, 2, 3, 2.5, 2.7, 3};
  folder.write(name + "/set.000/coord.npy", npy_bytes(coord, "2, 9"));
  folder.write(name + "/set.000/box.npy", npy_bytes(box, "2, 9"));
  const std::vector<float> last_coord{4, 5, 6, 4.75f, 5, 6, 5.5f, 5.5f, 6};
  folder.write(name + "/set.001/coord.npy", npy_bytes(last_coord, "1, 9"));
  folder.write(name + "/set.001/box.npy", npy_bytes(std::vector<float>{9, 0, 0, 0, 9, 0, 0, 0, 9}, "1, 9"));
  return folder.file(name);
}

}  // namespace nanoday::test

// Ghosts: what holds the routes of a halo together between two builds.
// SPDX-License-Identifier: Apache-2.0
#include "halo.hpp"

#include "core/error.hpp"
#include "halo_build.hpp"

namespace nanoday {

struct Halo::Plan {
  Plan(Transport& world, Route way) : transport(world), route(way), travel(world, data, control) {}

  Transport& transport;
  Route route;
  TeamMemory control, data;
  HaloTravel travel;
  HaloRoutes routes;
};

namespace {

View<const Vec4> local_positions(const Atoms& atoms) {
  return {atoms.position.data(), static_cast<std::size_t>(atoms.nlocal)};
}

template <class Word, class Row>
Rows<Word> rows_of(Array<Row>& rows, std::size_t first_word = 0) {
  return {reinterpret_cast<Word*>(rows.data()) + first_word, sizeof(Row) / sizeof(Word)};
}

/// Ghosts made from rows `row[k]` behind `first`.
void append(const std::int32_t* row, const std::vector<GhostRows::Run>& runs, std::int64_t first,
            HaloRows& to) {
  std::int64_t k = 0;
  for (const GhostRows::Run& run : runs)
    for (; k < run.end; ++k) {
      to.source.push_back(static_cast<std::int32_t>(first + row[k]));
      to.translation.push_back(padded(run.translation));
    }
}

/// Shared memory is what the machine says, so teams must be its nodes.
void check_team(const std::vector<int>& team, const Transport& transport) {
  const auto& node_of = transport.node_of();
  std::vector<int> mates;
  for (int r = 0; r < transport.size(); ++r)
    if (node_of[static_cast<std::size_t>(r)] == node_of[static_cast<std::size_t>(transport.rank())])
      mates.push_back(r);
  require_run(team == mates,
              "the grid of domains was made for other nodes than those of the ranks; make it "
              "from Transport::node_of()");
}

}  // namespace

Halo::Halo(Transport& transport, Route route) : plan_(std::make_unique<Plan>(transport, route)) {}
Halo::~Halo() = default;
Halo::Halo(Halo&&) noexcept = default;
Halo& Halo::operator=(Halo&&) noexcept = default;

void Halo::build(const DomainGrid& grid, const Box& box, double cutoff, Atoms& atoms) {
  Plan& p = *plan_;
  std::int64_t natoms = atoms.nlocal;
  p.transport.all_reduce_sum(View<std::int64_t>(&natoms, 1));
  const HaloGeometry geometry(grid, p.route, cutoff, natoms, p.transport.rank());
  if (geometry.team().size() > 1) check_team(geometry.team(), p.transport);
  for (TeamMemory* const memory : {&p.control, &p.data})
    memory->join(p.transport, geometry.team().size(), static_cast<std::size_t>(geometry.member()));
  p.routes = HaloBuild(geometry, p.transport, p.control, p.data).run(box, atoms);
}

void Halo::update(Atoms& atoms) {
  start_update(atoms);
  finish_update(atoms);
}

void Halo::start_update(const Atoms& atoms) {
  require_run(atoms.nlocal == plan_->routes.nlocal && atoms.nghost == plan_->routes.nghost,
              "{} atoms and {} ghosts but the halo was built for {} and {}; build it again", atoms.nlocal,
              atoms.nghost, plan_->routes.nlocal, plan_->routes.nghost);
  plan_->travel.start_outward(plan_->routes, local_positions(atoms), true);
}

void Halo::finish_update(Atoms& atoms) {
  const View<Vec4> ghost(atoms.position.data() + atoms.nlocal, static_cast<std::size_t>(atoms.nghost));
  plan_->travel.finish_outward(plan_->routes, local_positions(atoms), ghost, true);
}

void Halo::forward_rows(View<const Vec4> local, View<Vec4> ghost) {
  plan_->travel.start_outward(plan_->routes, local, false);
  plan_->travel.finish_outward(plan_->routes, local, ghost, false);
}

// Per-atom virials are read so rarely that they go home as three more rounds of three columns.
void Halo::reverse(Forces& forces, std::int64_t nlocal) {
  const HaloRoutes& routes = plan_->routes;
  require_run(nlocal == routes.nlocal, "forces of {} atoms but the halo was built for {}; build it again",
              nlocal, routes.nlocal);
  const bool have_virials = !forces.atom_virial.empty();
  const bool virials =
      forces.fixed_point
          ? plan_->travel.bring_home(routes, rows_of<std::uint64_t>(forces.fixed), have_virials)
          : plan_->travel.bring_home(routes, rows_of<double>(forces.force), have_virials);
  for (std::size_t column = 0; virials && column < 9; column += 3)
    plan_->travel.bring_home(routes, rows_of<double>(forces.atom_virial, column), true);
}

HaloRows Halo::rows() const {
  const HaloRoutes& routes = plan_->routes;
  require_run(plan_->route == Route::direct,
              "rows are listed for halos between single ranks; make the halo with Route::direct");
  HaloRows rows;
  append(routes.own.atom.data(), routes.own.run, 0, rows);
  std::int64_t first = routes.nlocal;
  for (const auto& message : routes.message) {  // in the order of the ghosts
    const auto& sent = routes.to_neighbor[message.neighbor].atom;
    const auto& from = routes.from_neighbor[message.neighbor];
    const auto received = static_cast<std::int64_t>(message.in.size() / 3);
    rows.peer.push_back({message.peer, static_cast<std::int64_t>(sent.size()), received});
    rows.sent.insert(rows.sent.end(), sent.begin(), sent.end());
    append(from.row, from.run, first, rows);
    first += received;
  }
  return rows;
}

std::size_t Halo::bytes() const {
  return plan_->routes.bytes() + plan_->data.bytes() + plan_->control.bytes();
}

}  // namespace nanoday

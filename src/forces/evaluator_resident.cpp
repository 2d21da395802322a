// The evaluator's side of systems that live on a machine: where they begin, and what of them is shown here.
// SPDX-License-Identifier: Apache-2.0
#include "device_exchange.hpp"
#include "forces/evaluator.hpp"

#include <utility>

namespace nanoday {

/// Deals atoms as the evaluator does, with a halo of one message per pair of ranks: devices share no memory.
class Evaluator::OtherRanks final : public ResidentRanks {
 public:
  explicit OtherRanks(Evaluator& evaluator)
      : evaluator_(evaluator), halo_(*evaluator.ranks_, Halo::Route::direct) {}

  std::unique_ptr<DeviceExchange> connect(const std::string& device) override {
    return make_device_exchange(*evaluator_.ranks_, device);
  }

  HaloRows deal(Atoms& atoms) override {
    const Visit visit(evaluator_, atoms);
    evaluator_.check_dealable();
    evaluator_.choose_domains();
    evaluator_.deal_atoms();
    evaluator_.sort_in_space();
    return make_ghosts();
  }

  HaloRows restore(Atoms& atoms, Array<Vec4>& now, bool dealt) override {
    const Visit visit(evaluator_, atoms);
    evaluator_.return_to_build(now, dealt);
    return make_ghosts();
  }

 private:
  /// While it lives, the evaluator works on these atoms instead of the ones it shows.
  class Visit {
   public:
    Visit(Evaluator& evaluator, Atoms& atoms) : evaluator_(evaluator), atoms_(atoms) {
      std::swap(evaluator_.atoms_, atoms_);
    }
    ~Visit() { std::swap(evaluator_.atoms_, atoms_); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    Evaluator& evaluator_;
    Atoms& atoms_;
  };

  HaloRows make_ghosts() {
    const double cutoff = evaluator_.cutoff() + evaluator_.options_.skin;
    halo_.build(*evaluator_.domains_, evaluator_.box_, cutoff, evaluator_.atoms_);
    return halo_.rows();
  }

  Evaluator& evaluator_;
  Halo halo_;
};

std::unique_ptr<ResidentSystem> Evaluator::make_resident(ResidentSettings settings) {
  if (model().kind != ModelKind::energy) return nullptr;
  if (settings.plans.empty()) settings.plans.assign(settings.bath.size(), plan_);
  settings.box = box_;
  settings.skin = options_.skin;
  settings.rebuild_every = options_.rebuild_every;
  if (ranks_->size() > 1) settings.ranks = std::make_shared<OtherRanks>(*this);
  return backend_.make_resident(settings);
}

void Evaluator::adopt(const ListState& state, bool dealt) {
  age_ = state.age;
  reference_ = state.reference;
  dealt_ = dealt;
}

ResidentState Evaluator::resident_state() const {
  ResidentState state;
  state.atoms = atoms_;
  state.reference = reference_;
  state.age = age_;
  state.dealt = dealt_;
  return state;
}

void Evaluator::mirror(const ResidentShare& resident, const ResidentScalars& scalars, bool arrays) {
  ResidentSystem& system = *resident.system;
  if (!mirrors_) mirrors_ = true;  // a writer may be reading it
  forces_.energy = scalars.energy;
  forces_.virial = scalars.virial;
  rebuilds_ = system.rebuilds();
  if (!arrays) return;
  system.download(resident.replica, atoms_, forces_, dipoles_);
  reference_ = system.reference(resident.replica);
  age_ = system.age();
  counts_ = system.counts(resident.replica);
  if (counts_.first_outside_atom >= 0) counts_.first_outside_atom = atoms_.id[counts_.first_outside_atom];
}

}  // namespace nanoday

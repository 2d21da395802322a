// Reads the training input (JSON) stored in a graph.
// SPDX-License-Identifier: Apache-2.0
#include "model/training_script.hpp"

#include "core/error.hpp"
#include "model/graph_def.hpp"

#include <nlohmann/json.hpp>

namespace nanoday {
namespace {

using Json = nlohmann::json;

constexpr std::size_t k_max_bytes = std::size_t{1} << 24;
constexpr int k_max_setting = 1 << 20;

// Reads settings of one script; keeps the file name for messages.
class ScriptReader {
 public:
  ScriptReader(const std::string& source, TrainingScript& script) : source_(source), script_(script) {}

  void read(const Json& model) {
    check_model(model);
    if (const Json* descriptor = member(model, "descriptor")) read_descriptor(*descriptor);
    if (const Json* fitting = member(model, "fitting_net")) read_fitting(*fitting);
  }

 private:
  // Null for a missing or null member.
  const Json* member(const Json& object, const char* key) const {
    if (!object.is_object()) return nullptr;
    const auto it = object.find(key);
    return it == object.end() || it->is_null() ? nullptr : &*it;
  }

  void expect(bool condition, const char* key) const {
    require(condition, "{}: the training script's '{}' is not what it should be; the file is damaged",
            source_, key);
  }

  std::string text(const Json& object, const char* key, const char* fallback) const {
    const Json* value = member(object, key);
    if (value == nullptr) return fallback;
    expect(value->is_string(), key);
    return value->get<std::string>();
  }

  int integer(const Json& value, const char* key) const {
    expect(value.is_number_integer(), key);
    const auto number = value.get<std::int64_t>();
    expect(number >= 0 && number <= k_max_setting, key);
    return static_cast<int>(number);
  }

  std::vector<int> integers(const Json& object, const char* key) const {
    std::vector<int> result;
    const Json* list = member(object, key);
    if (list == nullptr) return result;
    expect(list->is_array(), key);
    for (const Json& value : *list) result.push_back(integer(value, key));
    return result;
  }

  Activation activation(const Json& object) const {
    const std::string name = text(object, "activation_function", "tanh");
    try {
      return parse_activation(printable(name));
    } catch (const InputError& error) {
      throw InputError(source_ + ": " + error.what());
    }
  }

  // True for a setting that switches something on: not null, false, 0, or an empty or all-null list.
  bool in_use(const Json& object, const char* key) const {
    const Json* value = member(object, key);
    if (value == nullptr) return false;
    if (value->is_boolean()) return value->get<bool>();
    if (value->is_number()) return value->get<double>() != 0;
    if (value->is_array()) {
      for (const Json& item : *value) {
        if (!item.is_null()) return true;
      }
      return false;
    }
    return true;
  }

  void refuse_if(bool unsupported, std::string feature) {
    if (unsupported) script_.unsupported.push_back(std::move(feature));
  }

  void check_model(const Json& model) {
    const std::string type = text(model, "type", "standard");
    refuse_if(type != "standard", fmt::format("model type '{}'", printable(type)));
    refuse_if(in_use(model, "spin"), "spin");
    refuse_if(in_use(model, "use_srtab"), "a short-range pair table (use_srtab)");
    refuse_if(in_use(model, "type_embedding"), "a type embedding");
    refuse_if(in_use(model, "pair_exclude_types"), "excluded pairs of the whole model (pair_exclude_types)");
    refuse_if(in_use(model, "atom_exclude_types"), "excluded types of the whole model (atom_exclude_types)");
  }

  void read_descriptor(const Json& outer) {
    const Json* descriptor = &outer;
    if (text(outer, "type", "") == "hybrid") {
      const Json* list = member(outer, "list");
      expect(list != nullptr && list->is_array() && !list->empty(), "list");
      refuse_if(list->size() != 1, fmt::format("a hybrid descriptor of {} members", list->size()));
      descriptor = &list->front();
    }
    const std::string type = text(*descriptor, "type", "");
    refuse_if(type != "se_e2_a" && type != "se_a", fmt::format("descriptor '{}'", printable(type)));
    refuse_if(in_use(*descriptor, "env_protection"), "env_protection");
    if (!script_.unsupported.empty()) return;  // another descriptor's settings mean other things
    script_.embedding_activation = activation(*descriptor);
    script_.embedding_neuron = integers(*descriptor, "neuron");
    if (const Json* axis = member(*descriptor, "axis_neuron"))
      script_.axis_neuron = integer(*axis, "axis_neuron");
    if (const Json* pairs = member(*descriptor, "exclude_types")) read_excluded(*pairs);
  }

  void read_excluded(const Json& pairs) {
    constexpr const char* k_key = "exclude_types";
    expect(pairs.is_array(), k_key);
    for (const Json& pair : pairs) {
      expect(pair.is_array() && pair.size() == 2, k_key);
      script_.exclude_types.emplace_back(integer(pair[0], k_key), integer(pair[1], k_key));
    }
  }

  void read_fitting(const Json& fitting) {
    refuse_if(in_use(fitting, "numb_fparam"), "frame parameters (fparam)");
    refuse_if(in_use(fitting, "numb_aparam"), "atomic parameters (aparam)");
    refuse_if(in_use(fitting, "dim_case_embd"), "a case embedding (dim_case_embd)");
    refuse_if(in_use(fitting, "atom_ener"), "vacuum subtraction (atom_ener)");
    refuse_if(in_use(fitting, "layer_name"), "shared fitting layers (layer_name)");
    script_.fitting_activation = activation(fitting);
    script_.fitting_neuron = integers(fitting, "neuron");
  }

  const std::string& source_;
  TrainingScript& script_;
};

}  // namespace

TrainingScript parse_training_script(std::string_view json, const std::string& source) {
  require(json.size() <= k_max_bytes,
          "{}: the training script is {} bytes long (at most {}); the file is damaged", source, json.size(),
          k_max_bytes);
  const Json root = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  require(root.is_object() && root.contains("model") && root["model"].is_object(),
          "{}: the training script is not JSON with a 'model' section; the file is damaged", source);
  TrainingScript script;
  script.present = true;
  ScriptReader(source, script).read(root["model"]);
  return script;
}

}  // namespace nanoday

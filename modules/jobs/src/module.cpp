// SPDX-License-Identifier: Apache-2.0
#include "nerve/jobs/module.h"

namespace nerve::jobs {

namespace {

class JobsModule final : public Module {
 public:
  std::string_view name() const noexcept override { return "jobs"; }
  std::string_view description() const noexcept override { return "runs what modules do from time to time"; }
  std::string_view version() const noexcept override { return "0.1.0"; }
  Placement placement() const noexcept override { return Placement::core; }
  std::vector<std::string_view> depends_on() const override { return {"workspace"}; }

  std::vector<TableFacts> tables() const override { return {{.name = "job_states", .key = {"job"}}}; }
};

}  // namespace

const Module& module() {
  static const JobsModule module;
  return module;
}

}  // namespace nerve::jobs

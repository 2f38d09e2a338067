// SPDX-License-Identifier: Apache-2.0
// Goal: a query written for one of the source systems finds its tables and columns. Method: the list of those
// systems is read, each name of it is due when the module that it belongs to is built in, and then it must be
// a table or view of a freshly migrated store with the columns that the list gives it.
#include "modules/source_tables.h"

#include "modules/migrated_store.h"
#include "support/test_data.h"

#include "nerve/modules/builtin.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace nerve;
using test::MigratedStore;
using test::Relation;

namespace {

/// The module that brings each name. A name that the list has and this table has not is a failure.
const std::map<std::string, std::vector<std::string>> names_of_modules{
    {"migrations", {"schema_migrations"}},
    {"tenancy", {"companies", "organizations", "user_organizations"}},
    {"identity",
     {"users", "password_history", "login_attempts", "sessions", "user_mfa_config", "roles", "user_roles",
      "active_users_with_roles"}},
    {"audit",
     {"audit_log", "audit_logs", "audit_events", "audit_data_access", "mfa_audit_log", "permission_changes",
      "secure_audit_log", "key_audit_logs", "encryption_audit_log"}},
    {"apikeys", {"api_keys"}},
    {"events", {"security_events", "audit_security_events", "session_security_events"}},
    {"surface",
     {"asm_scans", "cached_asm_scans", "lightbox_scans", "lightbox_findings", "xasm_scan_history",
      "lightbox_scan_history", "scan_results_xasm", "scan_results_lightbox"}},
    {"osint",
     {"profiles", "social_media", "breaches", "devices", "ghost_search_queries", "github_findings",
      "pastebin_findings", "opsych_search_results"}},
    {"breach",
     {"monitored_emails", "monitored_email_findings", "uploaded_breach_files", "breach_file_results",
      "uploaded_files", "uploaded_credentials"}},
    {"bait", {"bait_tokens", "bait_accesses"}},
    {"compliance",
     {"compliance_assessments", "compliance_controls", "compliance_evidence", "vulnerability_reports",
      "audit_compliance", "pci_dss_requirements", "pci_compliance_assessments", "pci_requirement_compliance",
      "pci_compliance_summary"}},
    {"roadmap",
     {"roadmap_profiles", "roadmap_tasks", "roadmap_user_tasks", "roadmap_achievements",
      "roadmap_progress_history", "roadmap_task_library_meta"}},
    {"privacy",
     {"data_subject_requests", "user_consents", "processing_activities", "data_retention_policies",
      "data_deletion_jobs", "audit_retention"}},
    {"pci",
     {"pci_security_incidents", "pci_compliance_reports", "pci_data_flow_mapping", "pci_data_flow_compliance",
      "payment_transaction_audit", "payment_card_data"}},
    {"workflow",
     {"policies", "workflows", "workflow_instances", "workflow_steps", "notifications", "pending_approvals"}},
    {"certs",
     {"certificate_metadata", "certificates", "private_keys", "certificate_requests",
      "certificate_revocations", "certificate_summary", "active_certificates", "expiring_certificates"}},
    {"keys",
     {"key_masters", "key_versions", "rotation_policies", "key_rotations", "hsm_configurations",
      "encryption_keys", "tenant_encryption_keys", "encryption_key_rotations", "key_rotation_history",
      "active_keys_summary", "key_management_dashboard", "key_health_monitor"}},
};

std::optional<std::filesystem::path> source_list() {
  const auto data = test::test_data("sqlite");
  std::error_code error;
  const std::filesystem::path file =
      data ? data->parent_path().parent_path() / "spec" / "source-tables.md" : std::filesystem::path();
  if (!data || !std::filesystem::exists(file, error)) return std::nullopt;
  return file;
}

bool is_due(const std::string& module) {
  return module == "migrations" || std::ranges::any_of(builtin_modules(), [&](const Module* built_in) {
           return built_in->name == module;
         });
}

}  // namespace

TEST_CASE("the list of source tables is read as people read it") {
  const auto file = source_list();
  if (!file) {
    MESSAGE("skipped: there is no list of source tables");
    return;
  }
  const auto tables = test::read_source_tables(*file);
  using Columns = std::set<std::string>;
  CHECK(tables.at("companies") == Columns{"name", "primary_domain", "additional_domains", "max_seats",
                                          "max_domains", "subscription_tier", "billing_email",
                                          "subscription_status", "user_id", "created_at", "updated_at",
                                          "deleted_at"});
  CHECK(tables.at("user_organizations") == Columns{"is_primary", "joined_at", "left_at"});
  CHECK(tables.at("schema_migrations") == Columns{"version", "description", "applied_at"});
  CHECK(tables.at("scan_results_lightbox").contains("expires_at"));
  CHECK(tables.at("users").contains("2fa_backup_codes"));
  CHECK(tables.size() > 90);
}

TEST_CASE("every name of the source systems belongs to a module, and to one only") {
  const auto file = source_list();
  if (!file) {
    MESSAGE("skipped: there is no list of source tables");
    return;
  }
  const auto tables = test::read_source_tables(*file);
  std::map<std::string, int> known;
  for (const auto& [module, names] : names_of_modules) {
    for (const std::string& name : names) ++known[name];
  }
  for (const auto& table : tables) CHECK_MESSAGE(known[table.first] == 1, table.first);
  for (const auto& name : known) CHECK_MESSAGE(tables.contains(name.first), name.first);
}

CONFORMANCE_TEST("every name that is due is a table or view with the columns of its source") {
  const auto file = source_list();
  if (!file) {
    MESSAGE("skipped: there is no list of source tables");
    return;
  }
  if (Engine::is_waived()) return;
  const auto tables = test::read_source_tables(*file);
  std::map<std::string, Relation> relations;
  for (const Store store : every_store) {
    MigratedStore<Engine> migrated(store);
    for (auto& [name, relation] : test::read_relations(migrated.database()))
      relations.emplace(name, relation);
  }
  int due = 0;
  for (const auto& of_module : names_of_modules) {
    const auto& module = of_module.first;
    if (!is_due(module)) continue;
    for (const std::string& name : of_module.second) {
      ++due;
      const auto found = relations.find(name);
      CHECK_MESSAGE(found != relations.end(), name << " is due with the module " << module);
      if (found == relations.end()) continue;
      for (const std::string& column : tables.at(name)) {
        CHECK_MESSAGE(std::ranges::find(found->second.columns, column) != found->second.columns.end(),
                      name << "." << column);
      }
    }
  }
  CHECK(due >= 4);
}

#pragma once

/// A connection table as the SQL that declares it, so that the one SQL front end checks and plans both.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "catalog/records.h"

namespace laminar {

/// Options as WITH wants them: nested objects as dotted names, `config.type` objects and format settings
/// spread out.
using OptionList = std::vector<std::pair<std::string, std::string>>;

/// `profile` may be null. Options of the table come behind those of the profile, so they win.
OptionList TableOptionList(const ConnectionTable& table, const Profile* profile);
/// The options of a profile alone.
OptionList ProfileOptionList(const Json& config);
/// CREATE TABLE …; columns only if the table has a schema.
std::string TableDeclaration(const ConnectionTable& table, const Profile* profile);

/// A duration as the API takes it ("5 seconds", PT5S, integer milliseconds) as WITH takes it. Throws
/// UserError that names `field`.
std::string DurationText(const Json& value, const std::string& field);
/// What a `config.type` or `config.connector_type` object holds besides its place: true when `config` has
/// one.
bool HasVariantObject(const Json& config);

}  // namespace laminar

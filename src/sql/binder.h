#pragma once

/// Names → columns, AST → logical plan. One Binder per script: it knows the tables and views declared so far.
///
/// Files: bind_table.cc (DDL), bind_expression.cc (scalar expressions), bind_query.cc (SELECT, set
/// operations), bind_aggregate.cc (GROUP BY, OVER, windows), bind_join.cc (FROM with several tables),
/// bind_function.cc (CREATE FUNCTION, calls of such functions).

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/name.h"
#include "connectors/connector.h"
#include "formats/format.h"
#include "functions/registry.h"
#include "functions/sql_function.h"
#include "sql/ast.h"
#include "sql/catalog.h"
#include "sql/logical.h"

namespace laminar::sql {

struct Warning {
  std::string code;  ///< ORDER_BY_IGNORED, UNBOUNDED_STATE, REPEATED_OPTION …
  SourceSpan span;
  std::string message;
};

/// Script-wide settings (docs/sql.md "SET options").
struct Settings {
  int64_t updating_ttl_us = 0;
  std::optional<int64_t> updating_flush_interval_us;
  std::optional<int> parallelism;
  std::optional<int64_t> checkpoint_interval_us;
  std::optional<int64_t> idle_time_us;
  std::optional<int64_t> watermark_delay_us;
  bool error_on_division_by_zero = true;
  std::string state_backend;       ///< memory or disk; empty: not said
  int64_t state_memory_limit = 0;  ///< bytes; 0: not said
  std::string state_directory;     ///< empty: not said
};

/// What is declared outside of the script: the server's connection tables, or its functions.
class DeclarationCatalog {
 public:
  virtual ~DeclarationCatalog() = default;
  /// As one CREATE TABLE or CREATE FUNCTION statement; nullopt: there is none. `name` is in lower case.
  virtual std::optional<std::string> Declaration(const std::string& name) const = 0;
  virtual std::vector<std::string> names() const = 0;
};

struct BinderOptions {
  const FunctionRegistry* functions = nullptr;
  const FormatRegistry* formats = nullptr;
  const ConnectorRegistry* connectors = nullptr;
  /// May open files to infer schemas (`run`); `check` may not.
  bool may_sample = false;
  /// `laminar test`: tables without WITH that nothing inserts into are inputs of the test.
  bool memory_tables_are_inputs = false;
  std::set<std::string> changelog_inputs;  ///< those (lower case) whose rows may be retracted
  /// Asked for names that the script does not declare.
  const DeclarationCatalog* catalog = nullptr;
  const DeclarationCatalog* function_catalog = nullptr;
  /// CREATE FUNCTION statements that stand before the script, as it were.
  std::vector<std::string> functions_before = {};
  /// `--set name=value`: as SET before the first statement.
  std::vector<std::pair<std::string, std::string>> settings;
};

/// One output of the script: a sink node, and the table it writes (null: the preview).
struct BoundOutput {
  NodePtr node;
  std::shared_ptr<const TableDefinition> table;
};

struct BoundScript {
  std::vector<BoundOutput> outputs;
  std::vector<Warning> warnings;
  std::vector<UserError> errors;
  Settings settings;
  std::string pipeline_name;
  /// Declarations of the catalog's tables that the script uses; plans point into them.
  std::vector<std::unique_ptr<Statement>> catalog_statements;
  std::vector<std::pair<Statement*, NodePtr>> explains;  ///< EXPLAIN statements with their plans
};

/// A relation that names can reach: columns [first, first + count) of the scope's input.
struct ScopeRelation {
  Identifier alias;  ///< empty text: cannot be qualified
  int first = 0;
  int count = 0;
  bool open = false;  ///< open table: unknown names mean `value`->'name'; `value` is column `first`
};

/// What USING makes of the columns of both sides.
struct MergedColumns {
  std::vector<int> hidden;  ///< the right-hand ones: neither a bare name nor a bare `*` means them
  std::map<int, ExpressionPtr> stands_for;  ///< of RIGHT and FULL joins: what the bare left-hand name means
  ExpressionPtr Meaning(int column, ExpressionPtr otherwise) const {
    const auto found = stands_for.find(column);
    return found == stands_for.end() ? std::move(otherwise) : found->second;
  }
};

struct Scope {
  const PlanSchema* schema = nullptr;
  std::vector<ScopeRelation> relations;
  MergedColumns merged;
  std::string function = {};  ///< whose parameters the columns are; empty: they are columns
};

/// A function that is declared in SQL.
struct DeclaredFunction {
  std::shared_ptr<const SqlFunction> function;
  Type body_type;    ///< before the body is cast to what the function returns
  int64_t size = 0;  ///< expressions that a call evaluates
};

/// FROM, bound: the plan so far and what its columns are called.
struct BoundRelation {
  NodePtr node;
  std::vector<ScopeRelation> relations;
};

/// What binding one SELECT collects on the way.
struct SelectContext {
  Scope scope;
  bool allow_aggregates = false;
  bool allow_over = false;
  bool allow_windows = false;
  bool inside_aggregate = false;
  std::vector<AggregateCall> aggregates;
  struct OverUse {
    std::vector<ExpressionPtr> partition_by;
    std::vector<OrderKey> order_by;
    Frame frame;
    OverCall call;
    SourceSpan span;
  };
  std::vector<OverUse> overs;
  struct WindowUse {
    WindowDefinition definition;
    ExpressionPtr time;  ///< null: the input's row time
    SourceSpan span;
    std::string text;
  };
  std::vector<WindowUse> windows;
  /// Aliases of the SELECT list, and those being resolved right now.
  std::vector<std::pair<std::string, const Expr*>> aliases;
  std::set<std::string> resolving;
  int alias_uses = 0;
  const std::vector<std::pair<Identifier, std::unique_ptr<WindowSpec>>>* named_windows = nullptr;
  SelectContext* outer = nullptr;      ///< of a subquery's WHERE: its columns count behind those of `scope`
  std::map<const Expr*, int> scalars;  ///< subqueries used as values: their columns
  SourceSpan unnest_span;
  ExpressionPtr unnest;  ///< UNNEST(arr) in the SELECT list
};

class Binder {
 public:
  explicit Binder(BinderOptions options) : options_(options) {}

  /// Binds all statements; errors are collected, one per statement at least. `statements` must outlive the
  /// result. `unparsed_names`: tables and views whose declaration has a syntax error, which is reported
  /// already.
  BoundScript Bind(std::vector<Statement>& statements, const std::vector<std::string>& unparsed_names = {});
  /// The table of a CREATE TABLE alone, its schema inferred if it has none and `may_sample`. Throws the first
  /// UserError. `statement` must outlive the result.
  std::shared_ptr<const TableDefinition> Describe(Statement& statement);
  /// The function of a CREATE FUNCTION alone, which may call those before the script and those of the
  /// catalog. Throws the first UserError.
  DeclaredFunction DescribeFunction(const Statement& statement);

 private:
  using CteScope = std::map<std::string, BoundRelation>;

  // bind_table.cc
  void BindSettings(const Statement& statement);
  void BindStatement(Statement& statement);
  void BindCreateTable(Statement& statement);
  /// What CREATE TABLE and `FROM t (cols…) WITH (…)` have in common.
  struct TableDeclaration {
    Identifier name;
    SourceSpan span;
    bool has_columns = false;
    const std::vector<ColumnDefinition>* columns = nullptr;
    std::vector<Identifier> primary_key;
    bool has_options = false;
    std::vector<OptionAssignment> options;
    const Identifier* watermark_column = nullptr;
    const Expr* watermark_expr = nullptr;
    std::vector<std::string> partition_by;
    std::optional<TableRole> role;
    bool overlaid = false;  ///< has options of FROM t WITH (…) behind the table's own
  };
  /// The script's table, else the catalog's, which is then declared; null: neither has it.
  std::shared_ptr<TableDefinition> FindTable(const std::string& name);
  std::vector<std::string> TableNames() const;
  std::shared_ptr<TableDefinition> DefineTable(const TableDeclaration& declaration);
  void ReadOptions(TableDefinition& table, const TableDeclaration& declaration);
  void CheckEventTime(TableDefinition& table, const TableDeclaration& declaration);
  NodePtr FinishScan(NodePtr node, const TableDefinition& table, SourceSpan span);
  NodePtr ReadTable(const std::shared_ptr<TableDefinition>& table, SourceSpan span);
  NodePtr ReadMemoryTable(const std::shared_ptr<TableDefinition>& table, SourceSpan span);
  NodePtr MatchColumns(NodePtr input, const TableDefinition& table, const std::vector<Identifier>& columns,
                       SourceSpan span);
  void DefineColumns(TableDefinition& table, const TableDeclaration& declaration);
  void InferSchema(TableDefinition& table, SourceSpan span);
  void BindInsert(Statement& statement);
  void BindSet(const Statement& statement);
  std::string StateBackendOf(const Statement& statement);
  void AddOutput(NodePtr input, std::shared_ptr<TableDefinition> table,
                 const std::vector<Identifier>& columns, SourceSpan span);
  NodePtr MakeScan(const std::shared_ptr<TableDefinition>& table, SourceSpan span);
  /// `FROM t [(cols…)] WITH (…)`: a table known as `t` with these options on top, else one of its own.
  TableDeclaration OverlaidDeclaration(const TableRef& ref);
  /// Several inserts into one table become one sink over their union.
  void MergeOutputs();
  void WarnUnboundedState();

  // bind_query.cc
  BoundRelation BindQuery(const Query& query);
  NodePtr BindSelect(const Query& query, const Select& select);
  NodePtr BindValues(const Query& query);
  NodePtr BindSetOperation(const Query& query);
  NodePtr BindOrderAndLimit(NodePtr node, const Query& query);
  NodePtr MakeDistinct(NodePtr input, SourceSpan span);
  NodePtr OrderAndLimit(NodePtr node, std::vector<OrderKey> order, int64_t limit, int64_t offset,
                        SourceSpan span);
  void RenameColumns(BoundRelation& relation, const std::vector<Identifier>& names, SourceSpan span);
  int64_t BindCount(const Expr& expr, const char* what);

  // bind_join.cc
  /// FROM before its conditions are handed down: leaves and joins.
  struct FromTree {
    NodePtr leaf;                          ///< a table; null for a join
    std::vector<ScopeRelation> relations;  ///< with absolute first columns
    JoinKind kind = JoinKind::kInner;
    std::unique_ptr<FromTree> left, right;
    const Expr* on = nullptr;
    std::vector<Identifier> using_columns;
    ExpressionPtr unnest;  ///< CROSS JOIN UNNEST(arr): right is empty
    const Expr* unnest_expr = nullptr;
    std::string unnest_name;
    SourceSpan span;
    std::vector<PlanColumn> columns;  ///< of all leaves below, side by side
    bool changelog = false;
    MergedColumns merged;
  };
  std::unique_ptr<FromTree> BindFromTree(const TableRef& ref);
  ExpressionPtr UsingColumn(const FromTree& side, const Identifier& name);
  void MergeUsingColumns(FromTree& tree);
  BoundRelation BindTable(const TableRef& ref);
  BoundRelation BindWindowTable(const TableRef& ref);
  NodePtr ResolveFrom(FromTree& tree, std::vector<ExpressionPtr>& conjuncts);
  NodePtr BuildJoin(NodePtr left, NodePtr right, JoinKind kind, std::vector<ExpressionPtr> conjuncts,
                    SourceSpan span);
  NodePtr AsIntervalJoin(const LogicalNode& join, const std::vector<ExpressionPtr>& conditions,
                         SourceSpan span);
  NodePtr WithLaterRowTime(const NodePtr& join, SourceSpan span);
  NodePtr AtWindowEnd(NodePtr node);

  // bind_subquery.cc
  /// The query behind IN or EXISTS.
  struct Subquery {
    NodePtr node;
    ExpressionPtr value;  ///< over `node`; null for EXISTS
    std::vector<ExpressionPtr>
        on;  ///< conditions with the outer query: over `width` columns of `node`, then its
    int width = 0;
    bool nullable = false;  ///< `value` may be NULL
  };
  Subquery BindTestedQuery(const Query& query, bool exists, SelectContext& outer);
  /// Keeps the rows of `left` (the scope of `context`) for which [NOT] IN or [NOT] EXISTS holds.
  NodePtr JoinSubquery(NodePtr left, const Expr& condition, SelectContext& context);
  NodePtr JoinTested(NodePtr left, const ExpressionPtr& value, Subquery sub, JoinKind kind, SourceSpan span);
  /// Adds the value of a subquery to each row, as a hidden column that `context.scalars` then knows.
  NodePtr JoinScalar(NodePtr left, const Expr& expr, SelectContext& context);

  // bind_aggregate.cc
  WindowDefinition BindWindowDefinition(TableFunctionKind kind, const std::vector<const Expr*>& sizes,
                                        SourceSpan span);
  int64_t BindWindowLength(const Expr& expr);
  ExpressionPtr BindWindowFunction(const Expr& expr, SelectContext& context);
  ExpressionPtr BindAggregateCall(const Expr& expr, SelectContext& context);
  ExpressionPtr BindOverCall(const Expr& expr, SelectContext& context);
  const WindowSpec* ResolveWindowSpec(const WindowSpec& spec, SelectContext& context);
  NodePtr BuildAggregate(NodePtr input, const Select& select, SelectContext& context,
                         std::vector<ExpressionPtr> groups, std::vector<SourceSpan> group_spans,
                         std::vector<ExpressionPtr*> outputs, const std::vector<SourceSpan>& output_spans);
  NodePtr BuildOvers(NodePtr input, SelectContext& context, std::vector<ExpressionPtr*> outputs);
  /// Throws UserError unless windows `outer` can be made of rows that are windows `inner`.
  static void CheckWindowOfWindows(const WindowDefinition& outer, const WindowDefinition& inner,
                                   SourceSpan span);
  NodePtr WithRowTime(NodePtr node, const ExpressionPtr& time, SourceSpan span);

  // bind_function.cc
  /// The function whose body is being bound.
  struct FunctionBody {
    std::string name;
    bool stored = false;  ///< the catalog's: it sees no function of the script
    FunctionBody* caller = nullptr;
    int64_t size = 0;
  };
  using FunctionMap = std::map<std::string, std::shared_ptr<const DeclaredFunction>>;
  void BindFunctionsBefore();
  void BindCreateFunction(const Statement& statement);
  DeclaredFunction DefineFunction(const Statement& statement, bool stored);
  ExpressionPtr BindBody(const Statement& statement, const std::vector<Field>& parameters, bool stored,
                         int64_t* size);
  /// The script's function, else the catalog's; null: neither has it.
  const DeclaredFunction* FindFunction(const std::string& name);
  /// A function that is not built in. Throws UNKNOWN_FUNCTION.
  ExpressionPtr CallDeclared(const std::string& name, std::vector<ExpressionPtr> args, SourceSpan span);

  // bind_expression.cc
  ExpressionPtr BindExpr(const Expr& expr, SelectContext& context);
  ExpressionPtr BindJsonValue(const Expr& expr, std::vector<ExpressionPtr> args, SelectContext& context);
  ExpressionPtr BindExprInner(const Expr& expr, SelectContext& context);
  ExpressionPtr BindName(const Expr& expr, SelectContext& context);
  ExpressionPtr BindFunction(const Expr& expr, SelectContext& context);
  ExpressionPtr BindBinary(const Expr& expr, SelectContext& context);
  ExpressionPtr BindComparison(const std::string& op, ExpressionPtr left, ExpressionPtr right,
                               SourceSpan span);
  /// Arithmetic of JSON with JSON or integers: integer where all are, else DOUBLE; so its result is JSON.
  ExpressionPtr JsonArithmetic(const std::string& op, const ExpressionPtr& left, const ExpressionPtr& right,
                               SourceSpan span);
  /// What `/` divides by: NULL in place of an exact 0 unless that is an error (error_on_division_by_zero).
  ExpressionPtr Divisor(ExpressionPtr value, SourceSpan span);
  /// What to order rows by for `value`: JSON goes by json_sort_key, not by its text.
  ExpressionPtr Sortable(ExpressionPtr value, SourceSpan span);
  ExpressionPtr BindCase(const Expr& expr, SelectContext& context);
  ExpressionPtr BindIn(const Expr& expr, SelectContext& context);
  ExpressionPtr Call(const std::string& name, std::vector<ExpressionPtr> args, SourceSpan span);
  ExpressionPtr Access(ExpressionPtr input, const Identifier& field);
  ExpressionPtr CastTo(ExpressionPtr input, const Type& type, SourceSpan span, bool try_cast = false);
  ExpressionPtr ToBoolean(ExpressionPtr input, SourceSpan span);
  /// Brings all to one type; throws TYPE_ERROR naming both.
  Type Unify(std::vector<ExpressionPtr>& exprs, SourceSpan span, const char* what);

  void Warn(std::string code, SourceSpan span, std::string message) {
    script_.warnings.push_back({std::move(code), span, std::move(message)});
  }

  BinderOptions options_;
  BoundScript script_;
  std::map<std::string, std::shared_ptr<TableDefinition>> tables_;  // by lower-case name
  std::map<std::string, TableDeclaration> declarations_;            // of tables with a connector
  std::map<std::string, NodePtr> views_;                            // bound once, shared
  std::map<std::string, NodePtr> scans_;                            // one scan per table, shared
  std::map<std::string, NodePtr> memory_;                           // what was inserted into a memory table
  std::vector<CteScope> ctes_;
  FunctionMap functions_;                 // by lower-case name
  FunctionMap stored_functions_;          // those of the catalog that are called
  int64_t called_size_ = 0;               // of the calls outside of functions
  FunctionBody* body_ = nullptr;          // innermost
  std::set<std::string> inserted_names_;  ///< targets of all INSERTs of the script
  std::set<std::string> failed_names_;    ///< of what has an error in its declaration, in lower case
  bool uses_failed_name_ = false;         ///< the statement being bound does, so its error says nothing new
};

/// Node with `inputs`, and its span.
std::shared_ptr<LogicalNode> MakeNode(NodeKind kind, std::vector<NodePtr> inputs, SourceSpan span);
/// Project whose columns carry hidden row time, window and processing-time properties through (adds hidden
/// columns).
NodePtr MakeProject(NodePtr input, std::vector<ExpressionPtr> exprs, std::vector<std::string> names,
                    SourceSpan span);
NodePtr MakeFilter(NodePtr input, ExpressionPtr predicate, SourceSpan span);
bool HasAggregate(const Expr& expr, const FunctionRegistry& functions);
/// Functions by another path than as scalar functions of the registry: windows, row_number …
bool IsWindowFunction(const std::string& name);
bool IsRankFunction(const std::string& name);
/// `a AND b AND c` as its parts.
void SplitAst(const Expr& condition, std::vector<const Expr*>* parts);
/// [NOT] IN (query), [NOT] EXISTS (query).
bool IsSubqueryTest(const Expr& condition);
/// All `(query)` in `expr` that are used as values.
std::vector<const Expr*> ScalarSubqueries(const Expr& expr);

}  // namespace laminar::sql

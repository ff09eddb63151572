using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Planning;

namespace Datacake.Data.Querying;

/// <summary>The caches of the queries for the entities of a model, in all contexts and stores of the process. Thread-safe.</summary>
sealed class QueryCaches(EntityModel model)
{
    /// <summary>Gets the compiled expressions.</summary>
    public CompiledExpressions Expressions { get; } = new(model);

    /// <summary>Gets the query plans.</summary>
    public PlanCache Plans { get; } = new();

    /// <summary>Gets the warnings of scans that were logged.</summary>
    public LoggedWarnings ScanWarnings { get; } = new();

    /// <summary>Returns the caches of a model.</summary>
    public static QueryCaches Of(EntityModel model) => (QueryCaches)model.GetQueryCaches(static model => new QueryCaches(model));
}

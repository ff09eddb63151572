using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Planning;

namespace Datacake.Data.Querying;

/// <summary>The caches of a model that queries use.</summary>
static class EntityModelQueryExtensions
{
    extension(EntityModel model)
    {
        /// <summary>Gets the compiled expressions of queries for these entities.</summary>
        public CompiledExpressions Expressions => QueryCaches.Of(model).Expressions;

        /// <summary>Gets the plans of queries for these entities.</summary>
        public PlanCache Plans => QueryCaches.Of(model).Plans;

        /// <summary>Gets the warnings of scans of these entities that were logged.</summary>
        public LoggedWarnings ScanWarnings => QueryCaches.Of(model).ScanWarnings;
    }
}

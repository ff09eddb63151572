using Datacake.Data.CodeGeneration;

namespace Datacake.Data.Metadata;

/// <summary>An operation on an entity model that needs the entity class as a type argument.</summary>
interface IEntityModelVisitor<TResult>
{
    TResult Visit<T>(EntityModel<T> model)
        where T : class;
}

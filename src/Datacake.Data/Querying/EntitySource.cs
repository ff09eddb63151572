using Datacake.Data.CodeGeneration;

namespace Datacake.Data.Querying;

/// <summary>The source of a query: the entities of a keyspace of a context.</summary>
/// <param name="Context">The context.</param>
/// <param name="Metadata">The keyspace.</param>
/// <param name="Model">The model of the entity class.</param>
sealed record EntitySource<T>(IQueryContext Context, KeyspaceModel Metadata, EntityModel<T> Model)
    where T : class
{
    /// <summary>Gets the name of the keyspace in the store.</summary>
    public string Name => Metadata.Name;

    /// <summary>Returns the source of the entities of a class.</summary>
    /// <exception cref="InvalidOperationException">The context has no keyspace of this class.</exception>
    public static EntitySource<T> Of(IQueryContext context)
    {
        var (keyspace, model) = context.Model.KeyspaceOf<T>();
        return new(context, keyspace, model);
    }
}

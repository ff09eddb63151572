using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>The tracker of the entities that queries return.</summary>
interface IEntityTracker
{
    /// <summary>Tracks an entity that was read. Returns the instance that is already tracked with its key, if there is one.</summary>
    T TrackRead<T>(KeyspaceModel keyspace, DocumentKey key, Document document, T entity)
        where T : class;

    /// <summary>Tracks the entities that were read; see <see cref="TrackRead{T}(KeyspaceModel, DocumentKey, Document, T)"/>.</summary>
    T[] TrackRead<T>(KeyspaceModel keyspace, List<QueryRow<T>> rows)
        where T : class;

    /// <summary>
    /// Gives the tracked instance of an entity, if there is one without pending changes, the values of a document that was read at a consistency level.
    /// </summary>
    void RefreshUnchanged(KeyspaceModel keyspace, DocumentKey key, Document document);

    /// <summary>Finds the tracked instance that has a key.</summary>
    bool TryGetEntity(EntityModel model, DocumentKey key, [NotNullWhen(true)] out object? entity);

    /// <summary>
    /// Assigns the related entities that were loaded to the navigation of an entity, and the entity to their inverse navigations. Changes
    /// that are not saved yet are kept.
    /// </summary>
    /// <param name="navigation">The navigation.</param>
    /// <param name="entity">The entity.</param>
    /// <param name="related">The related entities.</param>
    /// <param name="isComplete">True if these are all related entities that are stored.</param>
    void Assign<TRelated>(NavigationModel<TRelated> navigation, object entity, IReadOnlyList<TRelated> related, bool isComplete)
        where TRelated : class;
}

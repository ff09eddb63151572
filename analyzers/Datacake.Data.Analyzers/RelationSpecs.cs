using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The assignment of a context's relations to its entity classes.</summary>
static class RelationSpecs
{
    /// <summary>Returns the relations between classes that have no errors.</summary>
    public static IReadOnlyList<RelationSpec> Of(IEnumerable<Relation> relations, IReadOnlyList<EntitySpec> entities) =>
        [.. relations.Select(relation => relation.ToSpec()).Where(relation =>
            entities.Any(entity => entity.Type == relation.Principal) && entities.Any(entity => entity.Type == relation.Dependent))];

    /// <summary>Returns the entity classes with the relations that they take part in.</summary>
    public static IEnumerable<EntitySpec> With(IEnumerable<EntitySpec> entities, IReadOnlyList<RelationSpec> relations, INamedTypeSymbol context) =>
        entities.Select(entity => entity with
        {
            Relations = new(relations
                .Select((relation, i) => (Relation: relation, Field: $"{RelationEmitter.ClassOf(Names.Identifier(context))}.Relation{i}"))
                .Where(known => known.Relation.Dependent == entity.Type || known.Relation.Principal == entity.Type)
                .Select(known => known.Field)),
            Navigations = new(relations
                .SelectMany(relation => new[]
                {
                    relation.Dependent == entity.Type ? relation.Reference : null,
                    relation.Principal == entity.Type ? relation.Inverse : null,
                })
                .OfType<NavigationSpec>()),
        });
}

using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>
/// The reader of the relations between the entity classes of a context: first those that <c>OnModelCreating</c> declares, then those that
/// follow from attributes and names.
/// </summary>
/// <param name="keyspaces">The keyspaces of the context. Errors that have no place in the source code are reported at these.</param>
/// <param name="entityTypes">The classes of the keyspaces.</param>
/// <param name="configurations">The configurations of the classes, to which navigations and foreign keys are added.</param>
/// <param name="diagnostics">Receives the errors.</param>
sealed class RelationReader(
    IReadOnlyList<IPropertySymbol> keyspaces, IReadOnlyList<ITypeSymbol> entityTypes, Dictionary<ITypeSymbol, EntityConfiguration> configurations, List<DiagnosticSpec> diagnostics)
{
    const string Schema = Names.Annotations + "Schema.";

    readonly List<Relation> _relations = [];
    readonly List<Navigation> _open = [];
    readonly List<Navigation> _collections = [];

    public IReadOnlyList<Relation> Read()
    {
        foreach (var entity in entityTypes.OfType<INamedTypeSymbol>())
        {
            _open.AddRange(NavigationReader.Read(entity, entityTypes, ConfigurationOf(entity)));
            ReportMissingKeyspaces(entity);
        }
        _collections.AddRange(Open(isCollection: true));
        foreach (var declared in configurations.Values.Distinct().SelectMany(configuration => configuration.Relations).ToList())
            Declare(declared);
        foreach (var reference in Open(isCollection: false))
            AddReference(reference);
        foreach (var reference in Open(isCollection: false))
            AddInverseOfOne(reference);
        foreach (var collection in Open(isCollection: true).OrderBy(collection => InversePropertyOf(collection) is null))
            AddCollection(collection);
        foreach (var relation in _relations)
            Complete(relation);
        return [.. _relations.Where(relation => relation.IsValid)];
    }

    /// <summary>
    /// Reports properties of a class that has a key and is related by a foreign key, but has no keyspace. Such a class is an entity, and
    /// would be stored within another one.
    /// </summary>
    void ReportMissingKeyspaces(INamedTypeSymbol entity)
    {
        foreach (var symbol in NavigationReader.PropertiesOf(entity, ConfigurationOf(entity)))
        {
            var element = NavigationReader.ElementOf(symbol.Type);
            if ((element ?? symbol.Type) is not INamedTypeSymbol { TypeKind: TypeKind.Class, SpecialType: SpecialType.None } target
                || Members.LineageOf(target).Any(type => entityTypes.Contains(type, SymbolEqualityComparer.Default)) || KeyOf(target) is not { Count: > 0 } key)
                continue;
            var foreignKey = element is null ? ForeignKeyByName(entity, target, [symbol.Name]) : ForeignKeyByName(target, entity, [entity.Name]);
            var referred = element is null ? key : KeyOf(entity);
            if (foreignKey is null || !foreignKey.Zip(referred, (part, of) => IsSame(Bare(part.Type), Bare(of.Type))).All(isSame => isSame))
                continue;
            string names = string.Join(", ", foreignKey.Select(part => $"{part.ContainingType.Name}.{part.Name}"));
            ReportProperty(
                new Navigation(symbol, entity, target, element is null ? null : ""),
                $"'{target.Name}' has a key of its own, and the foreign key '{names}' relates it to '{entity.Name}', but the context has no keyspace of it. Add "
                    + $"'public partial Keyspace<{target.Name}> {target.Name}s {{ get; }}'.");
        }
    }

    List<Navigation> Open(bool isCollection) => [.. _open.Where(navigation => navigation.IsCollection == isCollection)];

    EntityConfiguration ConfigurationOf(ITypeSymbol entity) => configurations.TryGetValue(entity, out var known) ? known : EntityConfiguration.None;

    void Declare(RelationConfiguration declared)
    {
        if (entityTypes.FirstOrDefault(type => IsSame(type, declared.Related)) is not INamedTypeSymbol related
            || entityTypes.FirstOrDefault(type => IsSame(type, declared.Entity)) is not INamedTypeSymbol entity)
        {
            string name = declared.Related.Name;
            ReportRelation(declared.Location, $"The context has no keyspace of '{name}'. Add 'public partial Keyspace<{name}> {name}s {{ get; }}'.");
            return;
        }
        bool isDependent = declared.Dependent is { } dependent
            ? IsOrDerives(dependent, entity) && !(IsSame(entity, related) && declared.IsCollection)
            : !declared.IsCollection && (!declared.IsUnique || HasForeignKey(entity, declared, related));
        var own = Find(declared.Location, declared.Navigation, entity, related, declared.IsCollection);
        bool isInverseCollection = isDependent && !declared.IsUnique;
        var other = Find(declared.Location, declared.Inverse, related, entity, isInverseCollection);
        var (reference, inverse) = isDependent ? (own, other) : (other, own);
        var (from, to) = isDependent ? (entity, related) : (related, entity);
        var relation = _relations.Find(known => IsSame(known.Dependent, from) && IsSame(known.Principal, to)
            && ((reference is not null && known.Reference == reference) || (inverse is not null && known.Inverse == inverse)));
        if (ProblemOf(relation, reference, inverse) is { } problem)
        {
            ReportRelation(declared.Location, problem);
            return;
        }
        if (relation is null)
            _relations.Add(relation = new Relation(from, to, declared.Location));
        relation.Reference ??= reference;
        relation.Inverse ??= inverse;
        relation.IsUnique |= declared.IsUnique;
        relation.IsRequired = declared.IsRequired ?? relation.IsRequired;
        relation.DeleteBehavior = declared.DeleteBehavior ?? relation.DeleteBehavior;
        if (declared.ForeignKey is { } names)
        {
            string[] missing = [.. names.Where(name => Property(name) is null)];
            relation.ForeignKey = [.. names.Select(Property).OfType<IPropertySymbol>()];
            if (missing.Length > 0)
                ReportRelation(declared.Location, $"'{from.Name}' has no property '{string.Join("' or '", missing)}'.");
        }
        _open.RemoveAll(navigation => navigation == reference || navigation == inverse);

        IPropertySymbol? Property(string name) => NavigationReader.FindProperty(from, name, ConfigurationOf(from));
    }

    /// <summary>
    /// Returns the error of a relation that is declared; null if there is none. A navigation belongs to one relation, and is one of its
    /// ends.
    /// </summary>
    string? ProblemOf(Relation? known, Navigation? reference, Navigation? inverse)
    {
        if (reference is not null && reference == inverse)
            return $"'{reference.Owner.Name}.{reference.Symbol.Name}' cannot be the inverse of itself. Name another property as the inverse, or none.";
        var taken = known is { Reference: { } from } && reference is not null && from != reference ? inverse
            : known is { Inverse: { } to } && inverse is not null && to != inverse ? reference
            : new[] { reference, inverse }.FirstOrDefault(
                navigation => navigation is not null && _relations.Exists(other => other != known && (other.Reference == navigation || other.Inverse == navigation)));
        return taken is null ? null : $"'{taken.Owner.Name}.{taken.Symbol.Name}' already has another relation. Declare each relation once.";
    }

    /// <summary>Returns a navigation by its name; null if none is named, or if an error was reported.</summary>
    Navigation? Find(Location location, string? name, INamedTypeSymbol entity, INamedTypeSymbol target, bool isCollection)
    {
        if (name is null)
            return null;
        var known = _open.Concat(_relations.SelectMany(relation => new[] { relation.Reference, relation.Inverse }).OfType<Navigation>()).FirstOrDefault(
            candidate => candidate.Symbol.Name == name && IsSame(candidate.Owner, entity));
        if (known is null || known.IsCollection != isCollection || !IsSame(known.Target, target))
        {
            string what = isCollection ? $"a collection of '{target.Name}'" : $"of type '{target.Name}'";
            ReportRelation(location, $"'{entity.Name}' has no property '{name}' that is {what}, can be set, and is not ignored.");
            return null;
        }
        return known;
    }

    bool HasForeignKey(INamedTypeSymbol entity, RelationConfiguration declared, INamedTypeSymbol related) =>
        ForeignKeyByName(entity, related, [declared.Navigation ?? related.Name, related.Name]) is not null
            || ForeignKeyByName(related, entity, [declared.Inverse ?? entity.Name, entity.Name]) is null;

    void AddReference(Navigation reference)
    {
        var foreignKey = ForeignKeyByAttribute(reference, reference.Owner);
        if (foreignKey is null)
        {
            bool isOnly = _open.Concat(_relations.Select(known => known.Reference).OfType<Navigation>()).Count(other =>
                !other.IsCollection && IsSame(other.Owner, reference.Owner) && IsSame(other.Target, reference.Target)) == 1;
            string[] prefixes = isOnly ? [reference.Symbol.Name, reference.Target.Name] : [reference.Symbol.Name];
            foreignKey = ForeignKeyByName(reference.Owner, reference.Target, prefixes);
        }
        if (foreignKey is null)
            return;
        _open.Remove(reference);
        _relations.Add(new Relation(reference.Owner, reference.Target, LocationOf(reference)) { Reference = reference, ForeignKey = foreignKey });
    }

    /// <summary>Adds a reference whose foreign key is in the entity that it refers to.</summary>
    void AddInverseOfOne(Navigation reference)
    {
        string? named = InversePropertyOf(reference);
        var back = _relations.Where(relation => relation.Inverse is null && IsSame(relation.Dependent, reference.Target) && IsSame(relation.Principal, reference.Owner)
            && (named is null || relation.Reference?.Symbol.Name == named)).ToList();
        var foreignKey = back.Count > 0 ? null : ForeignKeyByAttribute(reference, reference.Target) ?? ForeignKeyByName(reference.Target, reference.Owner, [reference.Owner.Name]);
        if (back.Count == 0 && foreignKey is not null)
            back.Add(AddRelation(reference, foreignKey));
        if (back.Count != 1)
        {
            var (owner, target, name) = (reference.Owner, reference.Target, reference.Symbol.Name);
            string type = KeyOf(target) is { Count: 1 } key ? TypeName(key[0].Type) : "…";
            ReportProperty(
                reference,
                $"'{target.Name}' is an entity class with a keyspace of its own, but no foreign key for it was found. Add 'public {type} {name}Id {{ get; set; }}' to "
                    + $"'{owner.Name}', name a foreign key with [ForeignKey], or call Entity<{owner.Name}>().HasOne(e => e.{name}) in OnModelCreating.");
            return;
        }
        _open.Remove(reference);
        back[0].Inverse = reference;
        back[0].IsUnique = true;
    }

    void AddCollection(Navigation collection)
    {
        var (owner, target, name) = (collection.Owner, collection.Target, collection.Symbol.Name);
        string? named = InversePropertyOf(collection);
        var back = _relations.Where(relation => relation.Inverse is null && relation.Reference is not null && !relation.IsUnique
            && IsSame(relation.Dependent, target) && IsSame(relation.Principal, owner)
            && (named is null ? InversePropertyOf(relation.Reference) is not { } other || other == name : relation.Reference.Symbol.Name == named)).ToList();
        bool isOnly = named is not null || Open(isCollection: true).Count(other => IsSame(other.Owner, owner) && IsSame(other.Target, target) && InversePropertyOf(other) is null) == 1;
        var foreignKey = ForeignKeyByAttribute(collection, target);
        if (foreignKey is not null)
        {
            back = [.. _relations.Where(relation => IsSame(relation.Dependent, target) && relation.Inverse is null
                && relation.ForeignKey?.SequenceEqual(foreignKey, SymbolEqualityComparer.Default) == true)];
            if (back.Count == 0)
                back.Add(AddRelation(collection, foreignKey));
        }
        else if (back.Count == 0 && isOnly && named is null && ForeignKeyByName(target, owner, [owner.Name]) is { } byName)
            back.Add(AddRelation(collection, byName));
        if (back.Count == 1 && (isOnly || foreignKey is not null))
        {
            back[0].Inverse = collection;
            _open.Remove(collection);
            return;
        }
        bool isMany = IsManyToMany(owner, target);
        ReportProperty(
            collection,
            isMany && back.Count == 0
                ? ManyToMany(owner, target)
                : back.Count > 0
                ? $"'{target.Name}' refers to '{owner.Name}' in more than one way, and it is not known which one is meant. Use [InverseProperty], or call "
                    + $"Entity<{owner.Name}>().HasMany(e => e.{name}).WithOne(…) in OnModelCreating."
                : $"'{target.Name}' is an entity class with a keyspace of its own, but it has no foreign key for '{owner.Name}'. Add "
                    + $"'public {(KeyOf(owner) is { Count: 1 } key ? TypeName(key[0].Type) : "…")} {owner.Name}Id {{ get; set; }}' to it, or call "
                    + $"Entity<{owner.Name}>().HasMany(e => e.{name}) in OnModelCreating.");
        _open.Remove(collection);
    }

    /// <summary>True if two classes have collections of each other.</summary>
    bool IsManyToMany(INamedTypeSymbol owner, INamedTypeSymbol target) => _collections.Exists(one => IsSame(one.Owner, owner) && IsSame(one.Target, target)
        && _collections.Exists(other => other != one && IsSame(other.Owner, target) && IsSame(other.Target, owner)));

    static string ManyToMany(INamedTypeSymbol owner, INamedTypeSymbol target)
    {
        // The names are sorted, so that the errors of both sides suggest the same class.
        var (first, second) = string.CompareOrdinal(owner.Name, target.Name) <= 0 ? (owner.Name, target.Name) : (target.Name, owner.Name);
        return $"'{target.Name}' also has a collection of '{owner.Name}'. A many-to-many relation needs a class that refers to both, with a keyspace of its own, such as "
            + $"'{first}{second}' with '{first}Id' and '{second}Id'. Use collections of that class.";
    }

    Relation AddRelation(Navigation inverse, List<IPropertySymbol> foreignKey)
    {
        var relation = new Relation(inverse.Target, inverse.Owner, LocationOf(inverse)) { ForeignKey = foreignKey };
        _relations.Add(relation);
        return relation;
    }

    /// <summary>Finds the foreign key of a relation, and checks that it matches the key.</summary>
    void Complete(Relation relation)
    {
        var (dependent, principal) = (relation.Dependent, relation.Principal);
        foreach (var navigation in new[] { relation.Reference, relation.Inverse }.OfType<Navigation>())
            Configure(navigation.Owner).Navigations.Add(navigation.Symbol);
        var key = KeyOf(principal);
        if (key.Count == 0)
            return;
        var place = relation.Location ?? PlaceOf(dependent);
        relation.ForeignKey ??= (relation.Reference is { } reference ? ForeignKeyByAttribute(reference, dependent) : null)
            ?? ForeignKeyByName(dependent, principal, [relation.Reference?.Symbol.Name ?? principal.Name, principal.Name]);
        string between = $"relation of '{dependent.Name}' to '{principal.Name}'";
        if (relation.ForeignKey is not { } foreignKey)
        {
            ReportRelation(place, relation is { Reference: null, Inverse.IsCollection: true } && IsManyToMany(principal, dependent)
                ? ManyToMany(principal, dependent)
                : $"The {between} has no foreign key. Name it with HasForeignKey, or add a property '{relation.Reference?.Symbol.Name ?? principal.Name}Id'.");
            return;
        }
        if (foreignKey.Find(property => Members.SetterOf(property) == SetterKind.None) is { } computed)
        {
            ReportRelation(
                LocationOf(computed) ?? place,
                $"'{dependent.Name}.{computed.Name}' is computed and not stored, so it cannot be a foreign key. Give it a setter, which may be private.");
            return;
        }
        if (foreignKey.Count != key.Count)
        {
            ReportRelation(
                place,
                $"The foreign key of the {between} and the key of '{principal.Name}' have different numbers of properties: {foreignKey.Count} and {key.Count}.");
            return;
        }
        for (int i = 0; i < key.Count; i++)
        {
            if (IsSame(Bare(foreignKey[i].Type), Bare(key[i].Type)))
                continue;
            ReportRelation(
                LocationOf(foreignKey[i]) ?? place,
                $"'{dependent.Name}.{foreignKey[i].Name}' is of type '{TypeName(foreignKey[i].Type)}', but the key '{principal.Name}.{key[i].Name}' that it refers to is of type "
                    + $"'{TypeName(key[i].Type)}'. Give both the same type.");
            return;
        }
        List<INamedTypeSymbol> classes = [.. foreignKey.Select(property => property.ContainingType), .. relation.Reference is { } end ? [end.Symbol.ContainingType] : Array.Empty<INamedTypeSymbol>()];
        var narrowest = classes.OrderBy(type => Members.LineageOf(type).Count()).Last();
        if (classes.Find(type => !Members.LineageOf(narrowest).Contains(type, SymbolEqualityComparer.Default)) is { } other)
        {
            ReportRelation(place, $"The {between} needs properties of '{other.Name}' and of '{narrowest.Name}', and no entity has both. Move them to one class.");
            return;
        }
        bool isNullable = foreignKey.Exists(IsNullable);
        relation.IsRequired = !isNullable || (relation.IsRequired
            ?? (foreignKey.Exists(IsMarkedRequired) || (relation.Reference is { } marked && IsMarkedRequired(marked.Symbol))));
        relation.DeleteBehavior ??= relation.IsRequired == true ? "Cascade" : "SetNull";
        if (relation.DeleteBehavior == "SetNull" && !isNullable)
        {
            ReportRelation(
                place,
                $"The foreign key of the {between} is not nullable, which OnDelete(DeleteBehavior.SetNull) requires. Make it nullable, or choose another behavior.");
            return;
        }
        Configure(dependent).ForeignKeys.Add([.. foreignKey.Select(property => property.Name)]);
        Configure(principal);
        relation.IsValid = true;
    }

    EntityConfiguration Configure(ITypeSymbol entity)
    {
        if (!configurations.TryGetValue(entity, out var known))
            configurations.Add(entity, known = new EntityConfiguration(null));
        return known;
    }

    /// <summary>Returns the foreign key that attributes name, in a class that may have it; null if there is none.</summary>
    List<IPropertySymbol>? ForeignKeyByAttribute(Navigation navigation, INamedTypeSymbol dependent)
    {
        var properties = NavigationReader.PropertiesOf(dependent, ConfigurationOf(dependent));
        if (navigation.Symbol.Find(Schema + "ForeignKeyAttribute")?.ConstructorArguments.FirstOrDefault().Value is string names)
        {
            var named = names.Split(',').Select(name => properties.FirstOrDefault(property => property.Name == name.Trim())).OfType<IPropertySymbol>().ToList();
            return named.Count == names.Split(',').Length ? named : null;
        }
        if (!IsSame(navigation.Owner, dependent) || navigation.IsCollection)
            return null;
        var marked = properties.Where(property => property.Find(Schema + "ForeignKeyAttribute")?.ConstructorArguments.FirstOrDefault().Value as string == navigation.Symbol.Name).ToList();
        return marked.Count == 0 ? null : marked;
    }

    /// <summary>
    /// Returns the foreign key by its name: the name of the navigation or class, followed by the name of the key or by Id. Returns null if
    /// there is none.
    /// </summary>
    List<IPropertySymbol>? ForeignKeyByName(INamedTypeSymbol dependent, INamedTypeSymbol principal, IReadOnlyList<string> prefixes)
    {
        var properties = NavigationReader.PropertiesOf(dependent, ConfigurationOf(dependent));
        var key = KeyOf(principal);
        foreach (string prefix in prefixes)
        {
            var found = key.Select(part => Named(prefix + part.Name)).OfType<IPropertySymbol>().ToList();
            if (key.Count > 0 && found.Count == key.Count)
                return found;
            if (key.Count == 1 && Named(prefix + "Id") is { } property)
                return [property];
        }
        return null;

        IPropertySymbol? Named(string name) => properties.FirstOrDefault(property =>
            string.Equals(property.Name, name, StringComparison.OrdinalIgnoreCase) && Members.SetterOf(property) != SetterKind.None
                && property.Find(Schema + "ForeignKeyAttribute") is null);
    }

    List<IPropertySymbol> KeyOf(INamedTypeSymbol entity) =>
        EntityReader.KeyOf(entity, ConfigurationOf(entity).Key, [.. NavigationReader.PropertiesOf(entity, ConfigurationOf(entity))]);

    static string? InversePropertyOf(Navigation navigation) =>
        navigation.Symbol.Find(Schema + "InversePropertyAttribute")?.ConstructorArguments.FirstOrDefault().Value as string;

    static bool IsNullable(IPropertySymbol property) => property.Type.IsReferenceType
        ? property.NullableAnnotation != NullableAnnotation.NotAnnotated
        : TypeMapping.NullableOf(property.Type) is not null;

    static bool IsMarkedRequired(IPropertySymbol property) => property.Find(Names.Annotations + "RequiredAttribute") is not null;

    static bool IsOrDerives(ITypeSymbol type, INamedTypeSymbol from) => type is INamedTypeSymbol named && Members.LineageOf(named).Contains(from, SymbolEqualityComparer.Default);

    static bool IsSame(ISymbol? left, ISymbol? right) => SymbolEqualityComparer.Default.Equals(left, right);

    static ITypeSymbol Bare(ITypeSymbol type) => (TypeMapping.NullableOf(type) ?? type).WithNullableAnnotation(NullableAnnotation.NotAnnotated);

    static string TypeName(ITypeSymbol type) => type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat);

    static Location? LocationOf(Navigation navigation) => LocationOf(navigation.Symbol);

    static Location? LocationOf(ISymbol symbol) => symbol.Locations.FirstOrDefault(location => location.IsInSource);

    /// <summary>Returns the location of the keyspace of a class.</summary>
    Location? PlaceOf(ITypeSymbol entity) => keyspaces.Zip(entityTypes, (keyspace, type) => IsSame(type, entity) ? keyspace.Locations.FirstOrDefault() : null).FirstOrDefault(place => place is not null);

    void ReportProperty(Navigation navigation, string reason)
    {
        Configure(navigation.Owner).Navigations.Add(navigation.Symbol);
        diagnostics.Add(DiagnosticSpec.Of(
            Diagnostics.PropertyType, LocationOf(navigation) ?? PlaceOf(navigation.Owner), navigation.Owner.Name, navigation.Symbol.Name, reason));
    }

    void ReportRelation(Location? location, string problem) => diagnostics.Add(DiagnosticSpec.Of(Diagnostics.Relation, location, problem));
}

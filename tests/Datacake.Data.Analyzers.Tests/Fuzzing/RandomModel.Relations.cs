namespace Datacake.Data.Analyzers.Tests.Fuzzing;

// Navigations, foreign keys, and the declarations that connect them.
sealed partial class RandomModel
{
    static readonly string[] CollectionTypes =
    [
        "List<{0}>", "List<{0}>", "ICollection<{0}>", "IList<{0}>", "HashSet<{0}>", "ISet<{0}>", "IEnumerable<{0}>", "IReadOnlyList<{0}>", "IReadOnlyCollection<{0}>", "IReadOnlySet<{0}>", "SortedSet<{0}>", "Bag<{0}>",
        "System.Collections.ObjectModel.Collection<{0}>", "System.Collections.ObjectModel.ObservableCollection<{0}>", "LinkedList<{0}>",
        "{0}[]", "Queue<{0}>", "System.Collections.Immutable.ImmutableList<{0}>", "System.Collections.ObjectModel.ReadOnlyCollection<{0}>", "Dictionary<int, {0}>", "List<{0}?>", "IEnumerable<List<{0}>>", "Lazy<{0}>",
    ];

    static readonly string[] Deletes = ["Cascade", "Restrict", "NoAction", "SetNull"];

    readonly List<PlannedNavigation> _navigations = [];
    readonly HashSet<(PlannedEntity, PlannedEntity)> _related = [];

    /// <param name="Owner">The class that declares the navigation.</param>
    /// <param name="Target">The class of the related entities.</param>
    /// <param name="Path">The expression that reads the property from a variable <c>x</c>.</param>
    /// <param name="IsCollection">True if the navigation is a collection.</param>
    /// <param name="Keys">The foreign key as a lambda body; null if it is in the other class.</param>
    sealed record PlannedNavigation(PlannedEntity Owner, PlannedEntity Target, string Path, bool IsCollection, string? Keys);

    void PlanRelation(int number)
    {
        var dependent = Pick(_entities);
        var principal = Chance(15) ? dependent : Pick(_entities);
        bool isOfDerived = dependent.Derived is not null && Chance(30);
        string way = Pick("convention", "convention", "attribute of reference", "attribute of key", "attribute of collection", "code", "code", "class");
        bool isFirst = _related.Add((dependent, principal)) & _related.Add((principal, dependent));
        bool isUnique = Chance(20);
        if (_isTame && !isFirst && way is "class" or "convention")
            way = "code";
        string? reference = way is "class" or "attribute of collection" || (way == "code" && Chance(20)) ? null : NameFor(dependent, Pick($"Nav{number}", principal.Name, _isTame ? $"Nav{number}" : Name()));
        string? inverse = way is "class" or "attribute of collection" || Chance(60) ? NameFor(principal, Pick($"Items{number}", $"Items{number}", _isTame ? dependent.Name : Name())) : null;
        if (ForeignKeyOf(dependent, principal, number, way, reference) is not { } foreignKey)
            return;
        bool isOptional = Chance(50);
        for (int i = 0; i < foreignKey.Count; i++)
        {
            if (foreignKey[i] == dependent.Key[Math.Min(i, dependent.Key.Count - 1)].Name)
                continue;
            string attribute = way == "attribute of key" && reference is not null ? $"[ForeignKey({(Chance(50) && dependent.Name != reference ? $"nameof({reference})" : $"\"{reference.TrimStart('@')}\"")})] " : "";
            string type = !_isTame && Chance(8) ? Pick(Scalars) : principal.Key[i].Type.TrimEnd('?');
            var members = !isOfDerived || (!_isTame && Chance(15)) ? dependent.Members : !_isTame && way != "code" && Chance(20) ? dependent.OtherMembers : dependent.DerivedMembers;
            members.Add(WithAttribute(attribute, ForeignKeyMember(type.TrimEnd('?') + (isOptional ? "?" : ""), foreignKey[i], dependent)));
        }
        string? keys = foreignKey.Count == 1 ? $"x.{foreignKey[0]}" : $"new {{ {string.Join(", ", foreignKey.Select(name => $"x.{name}"))} }}";
        if (isOfDerived)
            keys = keys.Replace("x.", $"(({dependent.DerivedReference})x).", StringComparison.Ordinal);
        if (reference is not null)
        {
            string attribute = way == "attribute of reference" ? $"[ForeignKey(\"{string.Join(Pick(",", ", "), foreignKey)}\")] " : Chance(10) ? "[Required] " : !_isTame && Chance(5) ? Pick("[ForeignKey(\"Nowhere\")] ", "[InverseProperty(\"Nowhere\")] ", "[InverseProperty(null!)] ", "[Obsolete(\"gone\", true)]", "[System.Diagnostics.CodeAnalysis.Experimental(\"E1\")]") : "";
            AddNavigation(dependent, principal, reference, isCollection: false, keys, attribute, isOfDerived);
        }
        if (inverse is not null)
        {
            string attribute = way == "attribute of collection" ? $"[ForeignKey(\"{string.Join(", ", foreignKey)}\")] "
                : reference is not null && way != "code" && (!isFirst || Chance(_isTame ? 50 : 20)) ? $"[InverseProperty(\"{reference.TrimStart('@')}\")] " : "";
            AddNavigation(principal, dependent, inverse, !isUnique, keys: null, attribute, isOfDerived: principal.Derived is not null && Chance(20));
        }
        if (way == "code")
            AddRelation(dependent, principal, reference, inverse, keys, isUnique, isOptional);
    }

    /// <summary>Returns the properties of a foreign key; null if none is possible.</summary>
    List<string>? ForeignKeyOf(PlannedEntity dependent, PlannedEntity principal, int number, string way, string? reference)
    {
        if (way == "convention" && reference is null)
            return null;
        string prefix = way == "convention" ? reference!.TrimStart('@') : way == "class" ? principal.Name.TrimStart('@') : $"Fk{number}";
        // The foreign key can be the key itself.
        if (way == "code" && dependent != principal && Chance(15) && dependent.Key.Select(part => part.Type).SequenceEqual(principal.Key.Select(part => part.Type)))
            return [.. dependent.Key.Select(part => part.Name)];
        List<string> names = [.. principal.Key.Select(part => principal.Key.Count == 1 && Chance(50) ? $"{prefix}Id" : $"{prefix}{part.Name}")];
        return names.TrueForAll(dependent.Names.Add) ? names : null;
    }

    string ForeignKeyMember(string type, string name, PlannedEntity owner) => _random.Next(_isTame ? 12 : 18) switch
    {
        0 => $"public {type} {name} {{ get; init; }} = default!;",
        1 => $"public {type} {name} {{ get; private set; }} = default!;",
        2 => $"[Index] public {type} {name} {{ get; set; }} = default!;",
        3 when !owner.IsPlain && (!_isTame || Chance(20)) => $"public required {type} {name} {{ get; set; }}",
        4 => $"{type} _f{name} = default!; public {type} {name} {{ get => _f{name}; set => _f{name} = value; }}",
        12 => $"public {type} {name} => default!;",
        13 => $"public {type} {name} {{ get; }} = default!;",
        14 => $"{type} _f{name} = default!; public ref {type} {name} => ref _f{name};",
        15 => $"{Pick("[Ignore]", "[Counter]", "[NotMapped]", "[Required]", "[Converter<TextConverter>]", "[Key]", "[ForeignKey(\"\")]", "[Obsolete]", "[Obsolete(\"gone\", true)]", "[System.Diagnostics.CodeAnalysis.Experimental(\"E1\")]")} public {type} {name} {{ get; set; }} = default!;",
        16 => $"public {Pick("static ", "virtual ", "")}{type} {name} {{ {Pick("get; set;", "private get; set;", "set {}")} }}",
        17 => $"internal {type} {name};",
        _ => $"public {type} {name} {{ get; set; }} = default!;",
    };

    void AddNavigation(PlannedEntity owner, PlannedEntity target, string name, bool isCollection, string? keys, string attribute, bool isOfDerived)
    {
        string element = !_isTame && target.Derived is not null && Chance(8) ? target.DerivedReference! : target.Reference;
        bool isOfBase = !isOfDerived && owner.Base is null && !owner.IsPlain && Chance(20);
        string type = isOfBase ? "T" : element, field = $"_{char.ToLowerInvariant(name.TrimStart('@')[0])}{name.TrimStart('@')[1..]}";
        string member = isCollection ? CollectionMember(type, name, field) : ReferenceMember(type, name, field);
        if (isOfBase)
        {
            string links = $"Links{name.TrimStart('@')}Of{owner.Name.TrimStart('@')}";
            Line($"{_access} {Pick("abstract class", "class")} {links}<T> where T : {Pick("class", "notnull", "class")}\n{{\n{WithAttribute(attribute, member)}\n}}");
            owner.Base = $"{links}<{element}>";
            if (!_isTame && Chance(25))
                owner.Members.Add(Pick($"public new void {name}() {{ }}", $"public new int {name} = 0;", $"public new {element}? {name} {{ get; set; }}", $"public new class {name};"));
        }
        else if (!isOfDerived && !owner.IsPlain && !owner.IsAbstract && owner.Derived is null && owner.Key is [(_, "Id")] && Chance(_isTame ? 2 : 6))
            owner.PositionalMembers.Add($"{(attribute.Length == 0 ? "" : $"[property: {attribute[1..]}")}{(isCollection ? $"List<{element}>" : $"{element}?")} {name}");
        else
            (isOfDerived ? owner.DerivedMembers : owner.Members).Add(WithAttribute(attribute, member));
        _navigations.Add(new PlannedNavigation(owner, target, isOfDerived ? $"(({owner.DerivedReference})x).{name}" : $"x.{name}", isCollection, keys));
    }

    string ReferenceMember(string type, string name, string field) => _random.Next(_isTame ? 14 : 18) switch
    {
        0 => $"public {type}? {name} {{ get; private set; }}",
        1 => $"public {type}? {name} {{ get; init; }}",
        2 => $"public {type}? {name} {{ get; internal set; }}",
        3 => $"public {type}? {name} {{ get; protected set; }}",
        4 when !_isTame => $"public required {type} {name} {{ get; set; }}",
        5 => $"{type}? {field}; public {type}? {name} {{ get => {field}; set => {field} = value; }}",
        6 => $"public {type} {name} {{ get; set; }} = null!;",
        14 => $"public {type}? {name} {{ get; }}",
        15 => $"{type}? {field}; public {type}? {name} => {field};",
        16 => $"{Pick("public static", "public virtual", "internal", "public new")} {type}? {name} {{ get; set; }}",
        17 => $"{type}? {field}; public ref {type}? {name} => ref {field};",
        _ => $"public {type}? {name} {{ get; set; }}",
    };

    string CollectionMember(string element, string name, string field)
    {
        string type = Format(Pick(_isTame ? CollectionTypes[..15] : CollectionTypes), element);
        string list = $"{Pick("List", "HashSet", _isTame ? "List" : Pick("LinkedList", "SortedSet", "Bag"))}<{element}>", shown = $"{Pick("IReadOnlyCollection", "IEnumerable", "ICollection")}<{element}>";
        return _random.Next(_isTame ? 14 : 18) switch
        {
            0 => $"public {type} {name} {{ get; private set; }} = default!;",
            1 => $"public {type} {name} {{ get; init; }} = default!;",
            2 => $"public {type}? {name} {{ get; set; }}",
            3 => $"public {type} {name} {{ get; }} = default!;",
            4 or 5 => $"readonly {list} {field} = new(); public {shown} {name} => {field};",
            6 => $"List<{element}> {field} = []; public IReadOnlyCollection<{element}> {name} => {field}.AsReadOnly();",
            7 => $"public {element}{Pick("", "?")}[] {name}Of(int number) => []; public List<{element}> {name} {{ get; set; }} = [];",
            14 => $"public {type} {name} => default!;",
            15 => $"public required {type} {name} {{ get; set; }}",
            16 => $"sealed class Own{name.TrimStart('@')} : List<{element}>; readonly Own{name.TrimStart('@')} {field} = new(); public {shown} {name} => {field};",
            17 => $"readonly {list} {field} = new(); public {shown} {name} {{ get; }} = default!;",
            _ => $"public {type} {name} {{ get; set; }} = default!;",
        };
    }

    /// <summary>Adds a call that declares a relation, from either side.</summary>
    void AddRelation(PlannedEntity dependent, PlannedEntity principal, string? reference, string? inverse, string keys, bool isUnique, bool isOptional)
    {
        PlannedNavigation? own = _navigations.Find(known => reference is not null && known.Owner == dependent && known.Path.EndsWith("." + reference, StringComparison.Ordinal)),
            other = _navigations.Find(known => inverse is not null && known.Owner == principal && known.Path.EndsWith("." + inverse, StringComparison.Ordinal));
        string end = (Chance(50) ? $".OnDelete(DeleteBehavior.{Pick(isOptional || !_isTame ? Deletes : Deletes[..3])})" : "") + (Chance(20) ? $".IsRequired({Pick("", "true", isOptional ? "false" : "true")})" : "");
        string To(string method, PlannedNavigation? navigation, string type) => navigation is null ? $"{method}<{type}>()" : $"{method}({Lambda(navigation.Path)})";
        string Back(string method, PlannedNavigation? navigation) => navigation is null ? $"{method}({Pick("", _isTame ? "" : "null")})" : $"{method}({Lambda(navigation.Path)})";
        if (isUnique && Chance(50))
            principal.Calls.Add($"{To("HasOne", other, dependent.Reference)}.{Back("WithOne", own)}.HasForeignKey<{dependent.Reference}>({Lambda(keys)}){end}");
        else if (isUnique)
            dependent.Calls.Add($"{To("HasOne", own, principal.Reference)}.{Back("WithOne", other)}.HasForeignKey<{dependent.Reference}>({Lambda(keys)}){end}");
        else if (Chance(50))
            principal.Calls.Add($"{To("HasMany", other, dependent.Reference)}.{Back("WithOne", own)}.HasForeignKey({Lambda(keys)}){end}");
        else
            dependent.Calls.Add($"{To("HasOne", own, principal.Reference)}.{Back("WithMany", other)}.HasForeignKey({Lambda(keys)}){end}");
    }

    /// <summary>Writes a call that declares a relation between two navigations, which may be meaningless.</summary>
    string? AnyRelation(PlannedEntity entity)
    {
        var own = _navigations.Where(navigation => navigation.Owner == entity).ToList();
        if (own.Count == 0)
            return null;
        var navigation = Pick(own);
        var back = _navigations.Where(known => known.Owner == navigation.Target && known.Target == entity && known.IsCollection == Chance(50)).ToList();
        var other = back.Count > 0 && Chance(80) ? Pick(back) : null;
        string method = navigation.IsCollection || other?.IsCollection == false ? "WithOne" : "WithMany";
        var dependents = new[] { navigation, other }.Where(known => known?.Keys is not null).ToList();
        string foreignKey = dependents.Count == 0 || Chance(30) ? ""
            : method == "WithOne" && !navigation.IsCollection ? $".HasForeignKey<{Pick(dependents)!.Owner.Reference}>({Lambda(Pick(dependents)!.Keys!)})"
            : $".HasForeignKey({Lambda(Pick(dependents)!.Keys!)})";
        return $"{(navigation.IsCollection ? "HasMany" : "HasOne")}({Lambda(navigation.Path)}).{method}({(other is null ? "" : Lambda(other.Path))}){foreignKey}{(Chance(30) ? $".OnDelete(DeleteBehavior.{Pick(Deletes)})" : "")}";
    }

    /// <summary>Writes a lambda with a body that uses <c>x</c>, in one of several forms.</summary>
    string Lambda(string body)
    {
        string name = Pick("x", "x", "x", "y", "@class", "_", "e");
        body = body.Replace(")x)", $"){name})", StringComparison.Ordinal).Replace("x.", $"{name}.", StringComparison.Ordinal);
        return Pick($"{name} => {body}", $"{name} => {body}", $"({name}) => {body}", $"static {name} => {body}", $"{name} => {body}{(body.StartsWith("new", StringComparison.Ordinal) ? "" : "!")}");
    }

    /// <summary>Reserves and returns a member name; returns null if the name is already in use.</summary>
    static string? NameFor(PlannedEntity entity, string name) => entity.Names.Add(name) ? name : null;
}

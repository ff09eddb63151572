using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The fields that a property of a compiled class may have. The compiler does not show them.</summary>
static class HiddenFields
{
    const string Generic = "global::System.Collections.Generic.";

    public static HiddenFieldSpec Of(IPropertySymbol property)
    {
        var defined = property.OriginalDefinition.Type;
        string name = Members.FieldNameOf(property);
        var own = AccessSpec.Of(property.ContainingType, [defined]);
        var candidates = CandidatesFor(defined).ToList();
        // Expressions that create a value use the type arguments of the class. The search for the field uses its type parameters.
        var fields = candidates.Select(candidate => new FieldSpec(
            name, own with { Values = new([Generic + candidate.Type + ArgumentsOf(defined)]) }, candidate.Made.Replace("<>", ArgumentsOf(property.Type))));
        var types = candidates.Select(candidate => candidate.Type + ArgumentsOf(property.Type, SymbolDisplayFormat.MinimallyQualifiedFormat))
            .Prepend(property.Type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)).ToList();
        string lookedFor = types.Count == 1 ? types[0] : $"{string.Join(", ", types.Take(types.Count - 1))} or {types[types.Count - 1]}";
        return new HiddenFieldSpec(
            property.Name, TypeMapping.Bare(property.ContainingType),
            new([new FieldSpec($"<{property.Name}>k__BackingField", own, null), new FieldSpec(name, own, null), .. fields]),
            $"{name} of type {lookedFor}");
    }

    /// <summary>
    /// Returns the types of collections that an interface may expose, other than itself, and the expressions that create one with the
    /// comparer of the current one.
    /// </summary>
    static IEnumerable<(string Type, string Made)> CandidatesFor(ITypeSymbol shown)
    {
        const string list = $"new {Generic}List<>({{0}})", set = $"new {Generic}HashSet<>({{0}}, {{1}}?.Comparer)", sorted = $"new {Generic}SortedSet<>({{0}}, {{1}}?.Comparer)",
            anySet = $"new {Generic}HashSet<>({{0}}, ({{1}} as {Generic}HashSet<>)?.Comparer)";
        (string Type, string Made)[] candidates = Names.FullName(shown) switch
        {
            "System.Collections.Generic.IReadOnlyDictionary" or "System.Collections.Generic.IDictionary" =>
            [
                ("Dictionary", $"new {Generic}Dictionary<>({{0}}, {{1}}?.Comparer)"),
                ("SortedDictionary", $"new {Generic}SortedDictionary<>(new {Generic}Dictionary<>({{0}}), {{1}}?.Comparer)"),
                ("IDictionary", $"new {Generic}Dictionary<>({{0}}, ({{1}} as {Generic}Dictionary<>)?.Comparer)"),
            ],
            "System.Collections.Generic.IReadOnlySet" or "System.Collections.Generic.ISet" => [("HashSet", set), ("SortedSet", sorted), ("ISet", anySet)],
            "System.Collections.Generic.IEnumerable" or "System.Collections.Generic.IReadOnlyCollection" or "System.Collections.Generic.IReadOnlyList"
                or "System.Collections.Generic.ICollection" or "System.Collections.Generic.IList" =>
            [
                ("List", list), ("HashSet", set), ("SortedSet", sorted), ("IList", list), ("ISet", anySet),
                ("ICollection", $"{{1}} is {Generic}ISet<> ? {anySet} : {list}"),
            ],
            _ => [],
        };
        return candidates.Where(candidate => candidate.Type != shown.Name);
    }

    static string ArgumentsOf(ITypeSymbol type, SymbolDisplayFormat? format = null)
    {
        string shown = type.ToDisplayString(format ?? Names.WithNullability);
        int start = shown.IndexOf('<');
        return start < 0 ? "" : shown.Substring(start).TrimEnd('?');
    }
}

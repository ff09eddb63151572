using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The way in which a collection is created: filled in place, or created from another collection that was filled.</summary>
/// <param name="New">An expression that creates an empty collection to fill.</param>
/// <param name="Finish">
/// A format for the expression that creates the collection of the property, if that cannot be filled: <c>{0}</c> is the collection that was
/// filled, and <c>{1}</c> the property's current value, which may be null.
/// </param>
sealed record CollectionSpec(string New, string? Finish = null);

/// <summary>The collections of .NET that can be stored.</summary>
static class Collections
{
    const string Generic = "global::System.Collections.Generic.", Immutable = "global::System.Collections.Immutable.", Frozen = "global::System.Collections.Frozen.",
        ObjectModel = "global::System.Collections.ObjectModel.";

    /// <summary>
    /// Returns the function that creates the codec of a list type from that of its items, and its further arguments; null if the type is
    /// not a list.
    /// </summary>
    public static (string Function, string Create)? List(INamedTypeSymbol type)
    {
        if (!IsCollection(type, arity: 1))
            return null;
        string bare = TypeMapping.Bare(type), item = TypeMapping.Bare(type.TypeArguments[0]);
        string function = $"Collection<{bare}, {item}>";
        (string, string) Made(string expression) => (function, $", static items => {expression}");
        switch (Names.FullName(type))
        {
            case "System.Collections.Generic.List":
                return ("List", "");
            case "System.Collections.Generic.IList" or "System.Collections.Generic.ICollection" or "System.Collections.Generic.IEnumerable"
                or "System.Collections.Generic.IReadOnlyList" or "System.Collections.Generic.IReadOnlyCollection":
                return (function, "");
            case "System.Collections.ObjectModel.Collection" or "System.Collections.ObjectModel.ObservableCollection" or "System.Collections.ObjectModel.ReadOnlyCollection"
                or "System.Collections.Generic.Queue" or "System.Collections.Generic.LinkedList":
                return Made($"new {bare}(items)");
            case "System.Collections.Generic.Stack":
                // A stack enumerates its items from the top, but is filled from the bottom.
                return Made($"new {bare}(global::System.Linq.Enumerable.Reverse(items))");
            case "System.Collections.Immutable.ImmutableList" or "System.Collections.Immutable.IImmutableList":
                return Made($"{Immutable}ImmutableList.CreateRange(items)");
            case "System.Collections.Immutable.ImmutableArray":
                return ($"ImmutableArray<{item}>", "");
            default:
                return null;
        }
    }

    /// <summary>Returns the way in which sets of a type are created; null if the type is not a set.</summary>
    public static CollectionSpec? Set(ITypeSymbol type)
    {
        if (type is not INamedTypeSymbol named || !IsCollection(named, arity: 1))
            return null;
        string item = $"<{TypeMapping.Bare(named.TypeArguments[0])}>";
        string set = $"{Generic}HashSet{item}";
        return Names.FullName(named) switch
        {
            "System.Collections.Generic.HashSet" or "System.Collections.Generic.ISet" => new($"new {set}()"),
            "System.Collections.Generic.SortedSet" => new($"new {Generic}SortedSet{item}()"),
            "System.Collections.Generic.IReadOnlySet" => new($"new {set}()", $"new {set}({{0}}, ({{1}} as {set})?.Comparer)"),
            "System.Collections.Frozen.FrozenSet" => new($"new {set}()", $"{Frozen}FrozenSet.ToFrozenSet({{0}}, {{1}}?.Comparer)"),
            "System.Collections.Immutable.ImmutableHashSet" or "System.Collections.Immutable.IImmutableSet" => new(
                $"new {set}()", $"{Immutable}ImmutableHashSet.ToImmutableHashSet({{0}}, ({{1}} as {Immutable}ImmutableHashSet{item})?.KeyComparer)"),
            "System.Collections.Immutable.ImmutableSortedSet" => new(
                $"new {set}()", $"{Immutable}ImmutableSortedSet.ToImmutableSortedSet({{0}}, {{1}}?.KeyComparer)"),
            _ => null,
        };
    }

    /// <summary>Returns the way in which dictionaries of a type are created; null if the type is not a dictionary.</summary>
    public static CollectionSpec? Dictionary(ITypeSymbol type)
    {
        if (type is not INamedTypeSymbol named || !IsCollection(named, arity: 2))
            return null;
        string arguments = $"<{TypeMapping.Bare(named.TypeArguments[0])}, {TypeMapping.Bare(named.TypeArguments[1])}>";
        string dictionary = $"{Generic}Dictionary{arguments}";
        return Names.FullName(named) switch
        {
            "System.Collections.Generic.Dictionary" or "System.Collections.Generic.IDictionary" => new($"new {dictionary}()"),
            "System.Collections.Generic.SortedDictionary" => new($"new {Generic}SortedDictionary{arguments}()"),
            "System.Collections.Generic.SortedList" => new($"new {Generic}SortedList{arguments}()"),
            "System.Collections.Concurrent.ConcurrentDictionary" => new($"new global::System.Collections.Concurrent.ConcurrentDictionary{arguments}()"),
            "System.Collections.Generic.IReadOnlyDictionary" => new($"new {dictionary}()", $"new {dictionary}({{0}}, ({{1}} as {dictionary})?.Comparer)"),
            "System.Collections.ObjectModel.ReadOnlyDictionary" => new($"new {dictionary}()", $"new {ObjectModel}ReadOnlyDictionary{arguments}({{0}})"),
            "System.Collections.Frozen.FrozenDictionary" => new($"new {dictionary}()", $"{Frozen}FrozenDictionary.ToFrozenDictionary({{0}}, {{1}}?.Comparer)"),
            "System.Collections.Immutable.ImmutableDictionary" or "System.Collections.Immutable.IImmutableDictionary" => new(
                $"new {dictionary}()",
                $"{Immutable}ImmutableDictionary.ToImmutableDictionary({{0}}, ({{1}} as {Immutable}ImmutableDictionary{arguments})?.KeyComparer)"),
            "System.Collections.Immutable.ImmutableSortedDictionary" => new(
                $"new {dictionary}()", $"{Immutable}ImmutableSortedDictionary.ToImmutableSortedDictionary({{0}}, {{1}}?.KeyComparer)"),
            _ => null,
        };
    }

    /// <summary>True if a type is in a namespace of collections, which most are not.</summary>
    static bool IsCollection(INamedTypeSymbol type, int arity) =>
        type.Arity == arity && type.ContainingNamespace is { ContainingNamespace: { Name: "Collections", ContainingNamespace.Name: "System" } };
}

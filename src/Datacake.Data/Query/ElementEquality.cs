using System.Collections;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>Tells collections that find what is equal from those with a comparer of their own, such as sets of strings that ignore case.</summary>
abstract class ElementEquality
{
    static readonly FrozenDictionary<Type, ElementEquality> OfScalars = Scalars().ToFrozenDictionary(equality => equality.Type);

    protected abstract Type Type { get; }

    /// <summary>Returns that of a type; null if it is neither one of the single values nor that of the codec.</summary>
    public static ElementEquality? Of(Type type, IOrderedCodec codec) =>
        OfScalars.GetValueOrDefault(type) ?? (codec as IElementCodec)?.Equalities.FirstOrDefault(equality => equality.Type == type);

    /// <summary>True if the collection contains what is equal to one of its elements, and nothing else.</summary>
    public abstract bool IsDefaultIn(IEnumerable collection);

    /// <summary>True if the keys of a dictionary are found by being equal.</summary>
    [DynamicDependency("Comparer", typeof(Dictionary<,>))]
    [DynamicDependency("Comparer", typeof(SortedDictionary<,>))]
    [DynamicDependency("Comparer", typeof(System.Collections.Concurrent.ConcurrentDictionary<,>))]
    [DynamicDependency("Comparer", typeof(FrozenDictionary<,>))]
    [DynamicDependency("KeyComparer", typeof(ImmutableDictionary<,>))]
    [UnconditionalSuppressMessage(
        "Trimming", "IL2075", Justification = "The properties are kept by the dependencies; of a dictionary without one, no comparer is known to be the default one.")]
    public bool IsDefaultOfKeys(IDictionary dictionary) =>
        (dictionary.GetType().GetProperty("Comparer") ?? dictionary.GetType().GetProperty("KeyComparer"))?.GetValue(dictionary) is { } comparer && IsDefault(comparer);

    /// <summary>True if a comparer is the one that a collection has if none is given, and agrees with stored values.</summary>
    protected abstract bool IsDefault(object comparer);

    protected static bool IsScalar(Type type) => type.IsEnum || OfScalars.ContainsKey(type);

    /// <summary>That of lists of a type, whichever it is; other collections of it are not known to have it.</summary>
    public static ElementEquality OfLists { get; } = new ListEquality();

    /// <summary>True if a collection is one of .NET's own, or made by the compiler, so that its behavior is known.</summary>
    protected static bool IsKnown(IEnumerable collection) => collection.GetType() is var type
        && (type.IsArray || type.Namespace?.StartsWith("System.", StringComparison.Ordinal) == true || type.Name.StartsWith('<'));

    static ElementEquality[] Scalars() =>
    [
        new ElementEquality<string>(), .. Both<bool>(), .. Both<byte>(), .. Both<sbyte>(), .. Both<short>(), .. Both<ushort>(), .. Both<int>(), .. Both<uint>(),
        .. Both<long>(), .. Both<ulong>(), .. Both<char>(), .. Both<float>(), .. Both<double>(), .. Both<decimal>(), .. Both<Guid>(), .. Both<DateTime>(),
        .. Both<DateTimeOffset>(), .. Both<DateOnly>(), .. Both<TimeOnly>(), .. Both<TimeSpan>(), new ElementEquality<object>(),
    ];

    /// <summary>That of a type and that of its nullable.</summary>
    public static ElementEquality[] Both<T>()
        where T : struct => [new ElementEquality<T>(), new ElementEquality<T?>()];

    sealed class ListEquality : ElementEquality
    {
        protected override Type Type => typeof(IList);

        public override bool IsDefaultIn(IEnumerable collection) => collection is IList && IsKnown(collection) && !collection.GetType().Name.Contains("Set", StringComparison.Ordinal);

        protected override bool IsDefault(object comparer) => false;
    }
}

sealed class ElementEquality<T> : ElementEquality
{
    protected override Type Type => typeof(T);

    public override bool IsDefaultIn(IEnumerable collection) => collection switch
    {
        HashSet<T> set => IsDefault(set.Comparer),
        SortedSet<T> set => IsDefault(set.Comparer),
        FrozenSet<T> set => IsDefault(set.Comparer),
        ImmutableHashSet<T> set => IsDefault(set.KeyComparer),
        ImmutableSortedSet<T> set => IsDefault(set.KeyComparer),
        // Lists, and what LINQ makes of others; not the keys of a dictionary, which do not show its comparer.
        IList or LinkedList<T> => IsKnown(collection),
        ICollection<T> => collection.GetType().Namespace == "System.Linq" && IsKnown(collection),
        // Enumerable.Contains goes through it.
        IEnumerable<T> => true,
        _ => false,
    };

    protected override bool IsDefault(object comparer) => comparer switch
    {
        // The default order of strings is that of a culture, in which different ones may be equal.
        StringComparer => ReferenceEquals(comparer, StringComparer.Ordinal),
        IEqualityComparer<T> => comparer.Equals(EqualityComparer<T>.Default),
        IComparer<T> => typeof(T) != typeof(string) && IsScalar(Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T)) && comparer.Equals(Comparer<T>.Default),
        _ => false,
    };
}

namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>Where a type stands in an entity class.</summary>
enum Position
{
    Property,
    Inherited,
    Derived,
    Owned,
    GenericOwned,
    ObjectInList,
    Element,
    SetElement,
    DictionaryKey,
    DictionaryValue,
    Key,
    Index,
    Counter,
}

/// <summary>How a property is read and set.</summary>
enum Accessor
{
    GetSet,
    Init,
    PrivateSet,
    GetOnly,
    FieldBacked,
    Required,
    Constructor,
}

/// <summary>A combination of the matrix: an entity class with one property of interest.</summary>
/// <param name="Number">Its number in the full matrix.</param>
/// <param name="Kind">The type.</param>
/// <param name="Position">Where it is.</param>
/// <param name="Accessor">How the property is read and set.</param>
/// <param name="IsReferenced">True if the class is in a referenced assembly.</param>
sealed record Shape(int Number, Kind Kind, Position Position, Accessor Accessor, bool IsReferenced)
{
    static readonly Position[] WithoutAccessor = [Position.Element, Position.SetElement, Position.DictionaryKey, Position.DictionaryValue];

    public string Namespace => $"N{Number}";

    public override string ToString() => $"{Kind.Type} as {Position}, {Accessor}{(IsReferenced ? ", of a referenced assembly" : "")}";

    /// <summary>The full matrix.</summary>
    public static IEnumerable<Shape> All()
    {
        int number = 0;
        foreach (var kind in Kinds.All)
        {
            foreach (var position in Enum.GetValues<Position>())
            {
                foreach (var accessor in WithoutAccessor.Contains(position) ? [Accessor.GetSet] : Enum.GetValues<Accessor>())
                {
                    // Nothing hands a dynamic value to a base class's constructor.
                    if (accessor == Accessor.GetOnly && position == Position.Inherited && kind.Type == "dynamic")
                        continue;
                    // A base class hands its property to the constructor of the derived one in no shorter way than that does itself.
                    if (accessor == Accessor.Constructor && position is Position.Inherited or Position.Derived)
                        continue;
                    yield return new Shape(number++, kind, position, accessor, IsReferenced: false);
                    yield return new Shape(number++, kind, position, accessor, IsReferenced: true);
                }
            }
        }
    }

    /// <summary>Every type in every position, and of their products with accessors and assemblies a part that has all pairs.</summary>
    public static IEnumerable<Shape> Sample(int oneOf) => All().Where(shape =>
        (shape.Accessor == Accessor.GetSet && !shape.IsReferenced)
        || ((shape.Kind.Type.Length * 7) + ((int)shape.Position * 3) + ((int)shape.Accessor * 5) + (shape.IsReferenced ? 1 : 0) + shape.Kind.Values[0].Length) % oneOf == 0);
}

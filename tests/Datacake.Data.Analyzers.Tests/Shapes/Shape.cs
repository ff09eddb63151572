namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>The position of a type in an entity class.</summary>
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

/// <summary>The way in which a property is read and set.</summary>
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
/// <param name="Number">The number of the shape in the full matrix.</param>
/// <param name="Kind">The type.</param>
/// <param name="Position">The position of the type.</param>
/// <param name="Accessor">The way in which the property is read and set.</param>
/// <param name="IsReferenced">True if the class is in a referenced assembly.</param>
sealed record Shape(int Number, Kind Kind, Position Position, Accessor Accessor, bool IsReferenced)
{
    static readonly Position[] WithoutAccessor = [Position.Element, Position.SetElement, Position.DictionaryKey, Position.DictionaryValue];

    public string Namespace => $"N{Number}";

    public override string ToString() => $"{Kind.Type} as {Position}, {Accessor}{(IsReferenced ? ", of a referenced assembly" : "")}";

    /// <summary>Returns the full matrix.</summary>
    public static IEnumerable<Shape> All()
    {
        int number = 0;
        foreach (var kind in Kinds.All)
        {
            foreach (var position in Enum.GetValues<Position>())
            {
                foreach (var accessor in WithoutAccessor.Contains(position) ? [Accessor.GetSet] : Enum.GetValues<Accessor>())
                {
                    // C# cannot pass a dynamic value to the constructor of a base class.
                    if (accessor == Accessor.GetOnly && position == Position.Inherited && kind.Type == "dynamic")
                        continue;
                    // Positional records with a base class are left out, because they add no new case.
                    if (accessor == Accessor.Constructor && position is Position.Inherited or Position.Derived)
                        continue;
                    yield return new Shape(number++, kind, position, accessor, IsReferenced: false);
                    yield return new Shape(number++, kind, position, accessor, IsReferenced: true);
                }
            }
        }
    }

    /// <summary>
    /// Returns every type in every position, and a subset of the combinations with accessors and assemblies that covers all pairs.
    /// </summary>
    public static IEnumerable<Shape> Sample(int oneOf) => All().Where(shape =>
        (shape.Accessor == Accessor.GetSet && !shape.IsReferenced)
        || ((shape.Kind.Type.Length * 7) + ((int)shape.Position * 3) + ((int)shape.Accessor * 5) + (shape.IsReferenced ? 1 : 0) + shape.Kind.Values[0].Length) % oneOf == 0);
}

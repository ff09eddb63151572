using System.ComponentModel.DataAnnotations;
using Datacake.Node;

namespace Datacake.Data.Tests.Shapes;

/// <summary>A base class with a key of any type, whose setters are not public.</summary>
public abstract class Keyed<TKey>
    where TKey : struct, IEquatable<TKey>
{
    public TKey Id { get; protected init; }

    public string? Note { get; private set; }

    public void Say(string note) => Note = note;
}

/// <summary>A class whose properties without setters have initial values.</summary>
public sealed class Diary : Keyed<Guid>
{
    readonly List<string> _pages = [];

    public Diary()
    {
    }

    public Diary(Guid id, DateTime created) => (Id, Created) = (id, created);

    public List<string> Lines { get; } = ["first"];

    public DateTime Created { get; } = DateTime.UtcNow;

    public byte[] Seal { get; } = [1, 2];

    public Cover Cover { get; } = new();

    public List<Cover> Others { get; } = [];

    public IReadOnlyCollection<string> Pages => _pages;

    public Wrapped<int>? Number { get; set; }

    public Wrapped<string> Word { get; set; } = new("");

    public int PageCount => _pages.Count;

    public void Write(string page) => _pages.Add(page);
}

/// <summary>An owned object whose properties without setters have initial values.</summary>
public class Cover
{
    public List<string> Words { get; } = ["blank"];

    public string Code { get; } = "none";

    public string Color { get; set; } = "";
}

/// <summary>A class derived from the owned class.</summary>
public sealed class HardCover : Cover
{
    public int Weight { get; set; }
}

/// <summary>An owned object of a generic class.</summary>
public sealed record Wrapped<T>(T Value);

/// <summary>The first version of a class.</summary>
[Keyspace("stamped")]
public sealed class Unstamped
{
    public long Id { get; set; }

    public string Name { get; set; } = "";
}

/// <summary>The next version of the class, with properties whose initializers return a different value each time.</summary>
[Keyspace("stamped")]
public sealed class Stamped
{
    public long Id { get; set; }

    public string Name { get; set; } = "";

    [ConcurrencyCheck]
    public string Stamp { get; set; } = Guid.NewGuid().ToString();

    public DateTime At { get; set; } = DateTime.UtcNow;
}

public sealed partial class DiaryContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Diary> Diaries { get; }
}

public sealed partial class UnstampedContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Unstamped> Entities { get; }
}

public sealed partial class StampedContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Stamped> Entities { get; }
}

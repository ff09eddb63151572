#pragma warning disable CA1859 // the tests depend on the types of the fields

namespace Datacake.Domain;

/// <summary>An entity with collection fields of many types, and with lists that are created when they are first read.</summary>
public class Library : Entity<long>
{
    readonly List<Book> _books = [];
    readonly HashSet<Reader> _readers = [];
    readonly ICollection<Loan> _loans = new HashSet<Loan>();
    List<Shelf>? _shelves;
    readonly HashSet<string> _tags = new(StringComparer.OrdinalIgnoreCase);
    readonly SortedSet<int> _years = new(Comparer<int>.Create((left, right) => right.CompareTo(left)));
    readonly ICollection<string> _codes = new HashSet<string>();
    readonly IList<int> _sizes = [];
    readonly ISet<string> _words = new HashSet<string>();
    readonly SortedDictionary<string, int> _counts = [];
    readonly HashSet<string> _topics = new(StringComparer.OrdinalIgnoreCase);
    List<string>? _names;

    Library()
    {
    }

    public Library(long id)
        : this() => Id = id;

    public IReadOnlyCollection<Book> Books => _books.AsReadOnly();

    public IReadOnlyCollection<Reader> Readers => _readers;

    public IEnumerable<Loan> Loans => _loans;

    public virtual ICollection<Shelf> Shelves => _shelves ??= new List<Shelf>();

    public IReadOnlyCollection<string> Tags => _tags;

    public IEnumerable<int> Years => _years;

    public IEnumerable<string> Codes => _codes;

    public IReadOnlyList<int> Sizes => [.. _sizes];

    public IReadOnlyCollection<string> Words => [.. _words];

    public IReadOnlyDictionary<string, int> Counts => _counts;

    public IReadOnlySet<string> Topics => _topics;

    public virtual ICollection<string> Names => _names ??= new List<string>();

    public void Own(Book book) => _books.Add(book);

    public void Admit(Reader reader) => _readers.Add(reader);

    public bool Lend(Loan loan)
    {
        if (_loans.Contains(loan))
            return false;
        _loans.Add(loan);
        return true;
    }

    public bool Tag(string tag) => _tags.Add(tag);

    public bool Teach(string topic) => _topics.Add(topic);

    public void Describe(int year, string code, int size, string word)
    {
        _years.Add(year);
        _codes.Add(code);
        _sizes.Add(size);
        _words.Add(word);
        _counts[word] = _counts.GetValueOrDefault(word) + 1;
    }
}

/// <summary>An entity whose reference property returns a read-only field.</summary>
public class Book : Entity<long>
{
    readonly Library? _library;

    Book()
    {
    }

    public Book(long id, string title, Library? library)
        : this() => (Id, Title, _library) = (id, title, library);

    public string Title { get; private set; } = "";

    public long LibraryId { get; private set; }

    public Library? Library => _library;
}

public class Reader : Entity<long>
{
    Reader()
    {
    }

    public Reader(long id) => Id = id;

    public long LibraryId { get; private set; }
}

public class Loan : Entity<long>
{
    Loan()
    {
    }

    public Loan(long id) => Id = id;

    public long LibraryId { get; private set; }
}

public class Shelf : Entity<long>
{
    Shelf()
    {
    }

    public Shelf(long id) => Id = id;

    public long LibraryId { get; private set; }
}

/// <summary>An entity with several computed properties and no constructor that the generator can call.</summary>
public class Basket(int size)
{
    readonly LinkedList<string> _items = [];

    public long Id { get; set; }

    public int ItemCount => _items.Count + size;

    public bool HasItems => ItemCount > 0;

    public IReadOnlyCollection<string> Items => _items;
}

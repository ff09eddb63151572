using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The errors that the generator reports. Each has a section in the README of Datacake.Data.</summary>
static class Diagnostics
{
    /// <summary>The address of the package's README, which has a section for each error. An editor can open it.</summary>
    const string Readme = "https://www.nuget.org/packages/Datacake.Data#";

    public static readonly DiagnosticDescriptor ContextNotPartial = Error(
        "DCD001", "The context is not partial",
        "'{0}' must be partial, and so must the types that contain it, so that the generator can add its keyspaces.");

    public static readonly DiagnosticDescriptor KeyspaceNotPartial = Error(
        "DCD002", "The keyspace is not a partial property with a getter",
        "The keyspace '{0}' must be declared as 'public partial Keyspace<{1}> {0} {{ get; }}'.");

    public static readonly DiagnosticDescriptor NoKey = Error(
        "DCD003", "The entity class has no key",
        "'{0}' has no key. Name a property 'Id' or '{0}Id', or mark one or several properties with [Key].");

    public static readonly DiagnosticDescriptor KeyType = Error(
        "DCD004", "The type of the key is not supported",
        "The key property '{0}.{1}' is of type '{2}', which is not supported. A key must be a single value other than a float or double, such as an integer, "
            + "a string, a Guid, a date or an enum. It must not be nullable.");

    public static readonly DiagnosticDescriptor PropertyType = Error(
        "DCD005", "The type of the property is not supported",
        "The property '{0}.{1}' cannot be stored. {2} To leave the property out, mark it with [Ignore].");

    public static readonly DiagnosticDescriptor CounterType = Error(
        "DCD006", "The counter is not an int or long",
        "The property '{0}.{1}' is of type '{2}'. A [Counter] must be an int or a long that can be set.");

    public static readonly DiagnosticDescriptor IndexProperty = Error(
        "DCD007", "The index names a property that cannot be indexed", "The index '{1}' of '{0}' is not valid. {2}");

    public static readonly DiagnosticDescriptor EntityClass = Error(
        "DCD008", "The class cannot be an entity", "'{0}' cannot be an entity class. {1}");

    public static readonly DiagnosticDescriptor NoConstructor = Error(
        "DCD009", "The class has no constructor that can be called",
        "'{0}' has no constructor that can be called. Add a constructor without parameters, which may be private, "
            + "or one whose parameters all have the names and types of properties.");

    public static readonly DiagnosticDescriptor DuplicateKeyspace = Error(
        "DCD010", "Two keyspaces of one context have the same name or entity class",
        "The keyspace '{0}' has the same {1} as '{2}'. Names and entity classes must be unique within a context.");

    public static readonly DiagnosticDescriptor OwnedCycle = Error(
        "DCD011", "The owned class contains itself",
        "The property '{0}.{1}' cannot be stored, because '{2}' contains itself, directly or through other classes. "
            + "Store the key of the other entity instead, or mark the property with [Ignore].");

    public static readonly DiagnosticDescriptor KeyspaceName = Error(
        "DCD012", "The name of the keyspace is not valid", "'{0}' is not a valid keyspace name. The name must have 1 to 200 characters.");

    public static readonly DiagnosticDescriptor Converter = Error(
        "DCD013", "The converter cannot be used", "The converter of '{0}.{1}' cannot be used. {2}");

    public static readonly DiagnosticDescriptor ModelCreating = Error(
        "DCD014", "OnModelCreating cannot be read", "OnModelCreating is read at compile time, and this code cannot be read. {0}");

    public static readonly DiagnosticDescriptor Configuration = Error(
        "DCD015", "OnModelCreating does not match the entity class", "OnModelCreating does not match the entity classes. {0}");

    public static readonly DiagnosticDescriptor GeneratedKey = Error(
        "DCD016", "The key cannot be generated",
        "The key '{0}.{1}' cannot be generated. {2} Use a single property of type long, ulong or Guid that can be set, "
            + "or assign the key yourself and add [DatabaseGenerated(DatabaseGeneratedOption.None)].");

    public static readonly DiagnosticDescriptor DerivedClass = Error(
        "DCD017", "The derived class cannot be stored with the entity class", "'{0}' cannot be stored in the keyspace of '{1}'. {2}");

    public static readonly DiagnosticDescriptor StoredName = Error(
        "DCD018", "The name in the store is not valid", "'{0}.{1}' cannot be stored as '{2}'. {3}");

    public static readonly DiagnosticDescriptor AttributeWithoutEffect = Error(
        "DCD019", "The attribute would have no effect", "[{2}] on '{0}.{1}' would have no effect. {3}");

    public static readonly DiagnosticDescriptor Relation = Error(
        "DCD020", "The relation is not valid", "The relation is not valid. {0}");

    public static readonly DiagnosticDescriptor Serial = Error(
        "DCD021", "The serial class cannot have this", "'{0}' is serial, but {1}");

    public static readonly DiagnosticDescriptor UniqueIndex = Error(
        "DCD022", "The index cannot be unique", "The index '{1}' of '{0}' cannot be unique. {2}");

    public static readonly DiagnosticDescriptor Number = Error(
        "DCD024", "The property cannot be numbered", "The property '{0}.{1}' cannot get numbers. {2}");

    public static readonly DiagnosticDescriptor Expiry = Error(
        "DCD025", "The class cannot expire so", "The entities of '{0}' cannot expire so. {1}");

    public static readonly DiagnosticDescriptor CounterBounds = Error(
        "DCD023", "The bounds of the counter are not valid", "The counter '{0}.{1}' cannot have these bounds. {2}");

    /// <summary>Returns the address of the section about a diagnostic.</summary>
#pragma warning disable CA1308 // The anchors of the README are in lower case.
    public static string HelpOf(string id) => Readme + id.ToLowerInvariant();
#pragma warning restore CA1308

    static DiagnosticDescriptor Error(string id, string title, string message) => new(
        id, title, message, "Datacake.Data", DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: HelpOf(id));
}

using Datacake.Data.Tests.Filters.Configurations;
using Datacake.Node;

namespace Datacake.Data.Tests.Filters
{
    public sealed class Note
    {
        public long Id { get; set; }

        public string Tenant { get; set; } = "";

        [Index]
        public string Title { get; set; } = "";

        public bool IsDeleted { get; set; }

        public long FolderId { get; set; }

        public Folder? Folder { get; set; }
    }

    public sealed class Folder
    {
        public long Id { get; set; }

        public string Name { get; set; } = "";

        public FolderKind Kind { get; set; }

        public bool IsDeleted { get; set; }

        public Color Color { get; set; } = new(0);

        public Draft? Draft { get; set; }

        public List<Note> Notes { get; set; } = [];
    }

    public enum FolderKind
    {
        Plain,
        Shared,
    }

    public sealed record Color(int Rgb);

    public sealed class Draft;

    sealed class ColorConverter() : ValueConverter<Color, int>(color => color.Rgb, rgb => new Color(rgb));

    /// <summary>A context whose filter uses a related entity.</summary>
    public sealed partial class RelatedFilterContext(DatacakeNode node) : DatacakeContext(node)
    {
        public partial Keyspace<Note> Notes { get; }

        [Keyspace("filtered folders")]
        public partial Keyspace<Folder> Folders { get; }

        protected override void OnModelCreating(ModelBuilder model)
        {
            model.Entity<Note>().ToKeyspace("filtered notes").HasQueryFilter(note => !note.Folder!.IsDeleted);
            model.Entity<Folder>().Ignore(folder => folder.Draft).Property(folder => folder.Color).HasConversion(color => color.Rgb, rgb => new Color(rgb));
        }
    }

    /// <summary>A context whose queries return only notes of one tenant that are not deleted.</summary>
    public sealed partial class NoteContext(DatacakeNode node, string tenant) : DatacakeContext(node)
    {
        public partial Keyspace<Note> Notes { get; }

        public partial Keyspace<Folder> Folders { get; }

        public string Tenant { get; set; } = tenant;

        protected override void OnModelCreating(ModelBuilder model)
        {
            model.Entity<Note>(note =>
            {
                note.ToKeyspace("tenant notes");
                note.HasQueryFilter("deleted", n => !n.IsDeleted);
                note.HasQueryFilter("tenant", n => n.Tenant == Tenant);
            });
            model.ApplyConfigurationsFromAssembly(typeof(NoteContext).Assembly);
        }

        protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
        {
            conventions.Properties<string>().HaveMaxLength(20);
            conventions.Properties<Enum>().HaveConversion<string>();
            conventions.Properties<Color>().HaveConversion<ColorConverter>();
            conventions.IgnoreAny<Draft>();
        }
    }
}

namespace Datacake.Data.Tests.Filters.Configurations
{
    /// <summary>Values that only code in this namespace can use unqualified.</summary>
    public static class Names
    {
        public const string Root = "root";

        public static IReadOnlyList<Folder> Folders { get; } = [new() { Id = 1, Name = Root }, new() { Id = 2, Name = "b", Kind = FolderKind.Shared }];
    }

    sealed class FolderConfiguration : IEntityTypeConfiguration<Folder>
    {
        public void Configure(EntityTypeBuilder<Folder> builder)
        {
            builder.ToKeyspace("folders").HasIndex(folder => folder.Name);
            builder.HasQueryFilter(folder => !folder.IsDeleted || folder.Name == Names.Root);
            builder.HasData(Names.Folders);
            builder.HasData(new Folder { Id = 3, Name = "c" });
        }
    }
}

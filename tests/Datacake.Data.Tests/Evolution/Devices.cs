using System.ComponentModel.DataAnnotations.Schema;
using Datacake.Node;

namespace Datacake.Data.Tests.Evolution
{
    namespace Before
    {
        /// <summary>The model of the first version of an application.</summary>
        public sealed partial class DeviceContext(DatacakeNode node) : DatacakeContext(node)
        {
            public partial Keyspace<Device> Devices { get; }
        }

        public class Device
        {
            public string Id { get; set; } = "";
            public string Name { get; set; } = "";
            public int Level { get; set; }
            public string? Obsolete { get; set; }
            public HashSet<string> Labels { get; set; } = [];
            [Counter] public int Starts { get; set; }
            public Site? Site { get; set; }
        }

        public class Site
        {
            public string Town { get; set; } = "";
        }
    }

    namespace After
    {
        /// <summary>
        /// The model of the second version: properties, an index and a derived class are added, one property is removed, and others are
        /// renamed.
        /// </summary>
        public sealed partial class DeviceContext(DatacakeNode node) : DatacakeContext(node)
        {
            public partial Keyspace<Device> Devices { get; }

            protected override void OnModelCreating(ModelBuilder model) =>
                model.Entity<Device>().Property(device => device.Location!.City).HasFormerName("Town");
        }

        [Derived(typeof(Sensor), "sensor")]
        public class Device
        {
            public string Id { get; set; } = "";
            [FormerName("Name"), Index] public string Title { get; set; } = "";
            [Index] public long Level { get; set; }
            [Index] public string Firmware { get; set; } = "1.0";
            [FormerName("Labels"), Index] public HashSet<string> Tags { get; set; } = [];
            [FormerName("Starts"), Counter] public long Boots { get; set; }
            [Column("Site")] public Location? Location { get; set; }
        }

        public class Location
        {
            [Index] public string City { get; set; } = "";
        }

        public class Sensor : Device
        {
            public double? Reading { get; set; }
        }
    }

    namespace Later
    {
        /// <summary>The model of the third version: adds indexes on properties of the derived class and a class derived from it.</summary>
        public sealed partial class DeviceContext(DatacakeNode node) : DatacakeContext(node)
        {
            public partial Keyspace<Device> Devices { get; }

            protected override void OnModelCreating(ModelBuilder model)
            {
                var device = model.Entity<Device>();
                device.Property(device => device.Title).HasFormerName("Name");
                device.HasDiscriminator().HasValue<Sensor>("sensor").HasValue<Camera>("camera");
                model.Entity<Sensor>().HasIndex(sensor => sensor.Reading);
            }
        }

        [Index(nameof(Level))]
        public class Device
        {
            public string Id { get; set; } = "";
            public string Title { get; set; } = "";
            public long Level { get; set; }
        }

        [Index(nameof(Level), nameof(Unit))]
        public class Sensor : Device
        {
            public double? Reading { get; set; }
            public string Unit { get; set; } = "K";
        }

        public sealed class Camera : Sensor
        {
            [Index] public int Pixels { get; set; }
        }
    }
}

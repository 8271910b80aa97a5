/// The version of weft: of the daemon, the CLI and what they say to each other.
package let weftVersion = "0.1.0"
